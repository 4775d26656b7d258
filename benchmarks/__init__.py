"""What speed and memory are promised, each measured against a peer or a floor in the same run."""
