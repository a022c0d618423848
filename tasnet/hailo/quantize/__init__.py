"""8 bits, simulated: what quantization would do to a network, without the compiler and without the chip.

    quantized = quantize(network, signals, Scheme(sixteen=frozenset({"conv1"}), equalize=True))
    (estimate,) = simulate(quantized, mix)
    layer_figures(quantized, mix)        # per layer: range, SNR, clipped share, shift
    failures(quantized)                  # `negative_slope`, where it is expected
    keep_16(quantized, mix, score)       # which layers to keep at 16 bits

Activations are asymmetric per tensor, weights symmetric per tensor or per channel, biases four times as wide.
Everything it says is predicted. Like `execute`, it needs torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
