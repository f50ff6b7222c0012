"""A process that decides and records; it may be killed at any moment. Usage: sdk_program.py SPOOL COUNT FROM KEPT

It writes each number to KEPT after the event was taken: those must reach the log, each once.
"""

import os
import sys

from andon_sdk.recorder import Recorder


def main():
    spool, count, first, kept = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    descriptor = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    recorder = Recorder(spool=spool, linger_seconds=0.002)
    for number in range(first, first + count):
        recorder.prediction("m", id=f"p{number}", prediction=number % 2)
        os.write(descriptor, b"%d\n" % number)
    recorder.close(seconds=30)


if __name__ == "__main__":
    main()
