import pytest

from imaging_pipeline.suite2p_runner.run_settings import auto_batch_size

GIB = 2**30


@pytest.mark.parametrize(("side", "expected"), [(128, 100), (256, 100), (512, 31), (1024, 7), (2048, 5)])
def test_larger_frames_are_registered_fewer_at_once(side, expected):
    assert auto_batch_size(side, side, 64 * GIB) == expected


@pytest.mark.parametrize(("available", "expected"), [(16, 31), (4, 17), (2, 8), (0, 5)])
def test_a_machine_with_little_memory_left_registers_fewer_at_once(available, expected):
    assert auto_batch_size(512, 512, available * GIB) == expected
