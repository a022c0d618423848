"""The network: Conv-TasNet in PyTorch, in every form the suite compares. Knows nothing of Hailo."""
