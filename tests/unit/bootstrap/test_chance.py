"""Salts are drawn from one stream, and no part of it comes twice."""

import os
from concurrent.futures import ThreadPoolExecutor

from andon.bootstrap.chance import KEY_LASTS_BYTES, many_random_bytes

BLOCK = 16


def test_no_block_comes_twice_however_it_is_asked_and_over_changes_of_the_key():
    sizes = [0, BLOCK, 100 * BLOCK, KEY_LASTS_BYTES, KEY_LASTS_BYTES + BLOCK, BLOCK] * 4
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(many_random_bytes, sizes))
    assert list(map(len, drawn)) == sizes
    blocks = [each[at : at + BLOCK] for each in drawn for at in range(0, len(each), BLOCK)]
    assert len(set(blocks)) == len(blocks)


def test_a_forked_child_draws_others():
    many_random_bytes(BLOCK)
    reads, writes = os.pipe()
    child = os.fork()
    if not child:
        os.write(writes, many_random_bytes(BLOCK))
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reads, BLOCK) != many_random_bytes(BLOCK)
    os.close(reads)
    os.close(writes)
