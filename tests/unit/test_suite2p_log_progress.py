from imaging_pipeline.suite2p_runner.log_progress import LogReader, Step

LOG = """\
** Found 1 files - converting to binary **
2000 frames of binary, time 3.10 sec.
Wrote 1500 frames per binary, 2 folders + 1 channels, 4.12sec
>>>>>>>>>>>>>>>>>>>>> PLANE 0 <<<<<<<<<<<<<<<<<<<<<<
----------- REGISTRATION
Registering 1500 frames in 75 batches
45%|####5     | 34/75 [00:10<00:12,  3.40it/s]
----------- Total 6.50 sec
Registration metrics, 2.25 sec.
----------- ROI DETECTION
----------- Total 0.24 sec.
>>>>>>>>>>>>>>>>>>>>> PLANE 1 <<<<<<<<<<<<<<<<<<<<<<
----------- REGISTRATION
----------- Total 5.50 sec
----------- SPIKE DECONVOLUTION
100%|##########| 1/1 [00:00<00:00, 137.73it/s]
----------- Total 0.06 sec.
""".splitlines()


def test_the_log_tells_how_far_each_stage_of_each_plane_is():
    reader = LogReader(3000, (0, 1))

    steps = [reader.step for line in LOG if reader.read(line)]

    assert steps == [
        Step("reading tifs", 2000, 3000),
        Step("registration, plane 1 of 2", 0, 0),
        Step("registration, plane 1 of 2", 34, 75),
        Step("detection, plane 1 of 2", 0, 0),
        Step("registration, plane 2 of 2", 0, 0),
        Step("deconvolution, plane 2 of 2", 0, 0),
        Step("deconvolution, plane 2 of 2", 1, 1),
    ]


def test_the_only_plane_is_not_counted():
    reader = LogReader(1500, (0,))

    reader.read("----------- EXTRACTION")

    assert reader.step == Step("extraction", 0, 0)


def test_planes_are_counted_without_those_that_are_left_out():
    reader = LogReader(1500, (1, 2))

    reader.read(">>>> PLANE 2 <<<<")
    reader.read("----------- REGISTRATION")

    assert reader.step.name == "registration, plane 2 of 2"


def test_seconds_of_a_stage_are_those_of_all_planes():
    reader = LogReader(3000, (0, 1))

    for line in LOG:
        reader.read(line)

    assert reader.seconds_by_stage == {
        "reading tifs": 4.12,
        "registration": 12.0,
        "registration metrics": 2.25,
        "detection": 0.24,
        "deconvolution": 0.06,
    }
