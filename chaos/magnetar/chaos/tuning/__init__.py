"""What our settings of watchdog, client and broker are worth: the same scenarios without them and with them.

`untuned` is what is left out, `inside` plays without it, `table` puts both side by side.
"""
