"""Drafts -> a Network with the vendor's numbers: one counter per stem, in Kahn's order with a FIFO queue.

Observed on all 1081 numbered layers of a 1179-layer graph: the queue starts at the input layer, a layer's
consumers enter it in the order of the ONNX nodes that consume it, and `const_input`s are not counted in the
in-degrees. No rule was found for the numbers of `const_input`s: here they follow their readers' order.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence

from tasnet.hailo.files import Layer, Network
from tasnet.hailo.translate.draft import Array, Draft


def numbered_network(name: str, drafts: Sequence[Draft], outputs: Sequence[Draft]) -> Network:
    """The Network called `name`; `outputs` are the output layers in the model's order."""
    consumers = _consumers(drafts)
    ordered = _kahn(drafts, consumers)
    counts: Counter[str] = Counter()
    numbered: dict[Draft, str] = {}
    for draft in ordered:
        counts[draft.stem] += 1
        numbered[draft] = f"{draft.stem}{counts[draft.stem]}"
    layers = tuple(
        Layer(
            name=numbered[draft],
            type=draft.type,
            inputs=tuple(numbered[producer] for producer in draft.inputs),
            outputs=tuple(numbered[consumer] for consumer in consumers[draft]),
            input_shapes=tuple(producer.shape_for(draft) for producer in draft.inputs) or (draft.shape,) * _own(draft),
            output_shapes=tuple(draft.shape_for(consumer) for consumer in consumers[draft]) or (draft.shape,),
            original_names=tuple(draft.names),
            params=draft.params,
        )
        for draft in ordered
    )
    weights: dict[str, Array] = {
        f"{name}/{numbered[draft]}/{what}:0": array for draft in ordered for what, array in draft.weights.items()
    }
    return Network(name, layers, tuple(numbered[draft.inputs[0]] for draft in outputs), weights)


def _own(draft: Draft) -> int:
    """An input layer and a const_input repeat their own shape as their input's (both observed)."""
    return 1 if draft.type in {"input_layer", "const_input"} else 0


def _consumers(drafts: Sequence[Draft]) -> dict[Draft, list[Draft]]:
    readers: dict[Draft, list[Draft]] = {draft: [] for draft in drafts}
    for draft in sorted(drafts, key=lambda d: d.order):
        for producer in dict.fromkeys(draft.inputs):
            readers[producer].append(draft)
    for producer, found in readers.items():
        if producer.parts:
            # which part a consumer reads is given by its place alone
            found.sort(key=lambda reader: producer.parts[reader][0])
    return readers


def _kahn(drafts: Sequence[Draft], consumers: dict[Draft, list[Draft]]) -> list[Draft]:
    waiting = {draft: sum(p.type != "const_input" for p in dict.fromkeys(draft.inputs)) for draft in drafts}
    queue = deque(draft for draft in drafts if draft.type == "input_layer")
    # A layer fed by constants alone is reached from no input: it starts with the input layers.
    queue.extend(d for d in drafts if not waiting[d] and d.type not in {"input_layer", "const_input"})
    ordered: list[Draft] = []
    while queue:
        draft = queue.popleft()
        ordered += [p for p in dict.fromkeys(draft.inputs) if p.type == "const_input"]
        ordered.append(draft)
        for consumer in consumers[draft]:
            waiting[consumer] -= 1
            if not waiting[consumer]:
                queue.append(consumer)
    return list(dict.fromkeys(ordered))
