"""8 bits, simulated: what quantization would do to a network, without the compiler and without the chip.

In: a `Network`, calibration signals [count, H, W, C] (several inputs: such an array for each, by its name) and a
`Scheme`. Out: a `Quantized` network, which can be run, and figures and failures of its layers.

    quantized = quantize_network(network, signals, Scheme(sixteen=frozenset({"conv1"}), clipping="mse"))
    (estimate,) = run_quantized(quantized, mix)
    quantization_figures(quantized, mix)          # per layer: range, SNR, clipped share, shift
    negative_slope_failures(quantized)            # where the compiler is expected to refuse a layer
    choose_16_bit_layers(quantized, mix, score)   # which layers to keep at 16 bits

Activations are asymmetric per tensor, weights symmetric per tensor, biases four times as wide.
All of it is predicted, nothing observed. Like `execute`, it needs torch.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
