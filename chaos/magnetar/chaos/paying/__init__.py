"""Whether anybody pays twice: a shop on real servers, whose payment provider is killed, slow and lying all the time.

Orders come at a steady rate, some of them are cancelled soon after, or want what is sold out. The provider, a process
with a log of its own, is killed again and again, and so are the workers. In the end every order is paid or has its
money back, and the provider's log says whether anything was taken twice.

In the order of a run: `plan` are the orders and the blows, `shop` is the app, `outsider` the provider, `calling` its
callbacks, `run` plays it, `reading` says what is there, `judging` compares, `telling` is the command. Servers and
customers are those of `magnetar.chaos.parking`.
"""
