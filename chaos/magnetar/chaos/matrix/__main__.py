"""`python -m magnetar.chaos.matrix`: play the crash matrix and print its table."""

from magnetar.chaos.matrix.telling import main

if __name__ == "__main__":  # the processes it starts import it again
    raise SystemExit(main())
