"""``python -m batch_populate [LANE]… --once | --loop``."""

from batch_populate.command import main

if __name__ == "__main__":
    main(prog_name="python -m batch_populate")
