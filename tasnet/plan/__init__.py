"""The plan: a whole network, exactly, in pieces that compile."""
