"""Runs MiniStack for as long as somebody holds our standard input open.

Whoever starts us keeps the other end of that pipe. When it ends, by whatever means and without a chance to clean up, the
pipe closes and this process takes its whole group (itself and the workers that run functions) with it.
"""

import os
import signal
import sys
import threading
import time

GRACE_SECONDS = 2


def end_with_the_starter():
    sys.stdin.buffer.read()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.killpg(0, signal.SIGTERM)
    time.sleep(GRACE_SECONDS)
    os.killpg(0, signal.SIGKILL)


threading.Thread(target=end_with_the_starter, daemon=True).start()
sys.argv = ["ministack"]

from ministack.app import main  # noqa: E402  (loading takes a second; the watch has to stand before)

main()
