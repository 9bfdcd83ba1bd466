"""A bad line: carries Ethernet frames between two tap devices, late and with losses, each way alike.

line.py NEAR FAR LOSS-PERCENT DELAY-MS SEED     until it is killed; says "ready" when both devices are there
"""
import collections
import fcntl
import os
import random
import select
import struct
import sys
import time

TUNSETIFF, IFF_TAP, IFF_NO_PI = 0x400454CA, 0x0002, 0x1000
FRAME_MAX = 65536
FRAMES_MAX = 10000  # on their way at a time, each way: what comes then is lost, as on a real line


def open_tap(name):
    tap = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tap, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TAP | IFF_NO_PI))
    return tap


def main():
    near, far = open_tap(sys.argv[1]), open_tap(sys.argv[2])
    loss, delay, chance = float(sys.argv[3]) / 100, float(sys.argv[4]) / 1000, random.Random(int(sys.argv[5]))
    print("ready", flush=True)
    ways = {near: (far, collections.deque()), far: (near, collections.deque())}
    while True:
        due = min((frames[0][0] for _, frames in ways.values() if frames), default=None)
        patience = None if due is None else max(0.0, due - time.monotonic())
        for tap in select.select([near, far], [], [], patience)[0]:
            try:
                frame = os.read(tap, FRAME_MAX)
            except OSError:  # the device is not up yet
                continue
            frames = ways[tap][1]
            if chance.random() >= loss and len(frames) < FRAMES_MAX:
                frames.append((time.monotonic() + delay, frame))
        now = time.monotonic()
        for to, frames in ways.values():
            while frames and frames[0][0] <= now:
                try:
                    os.write(to, frames.popleft()[1])
                except OSError:
                    pass


if __name__ == "__main__":
    main()
