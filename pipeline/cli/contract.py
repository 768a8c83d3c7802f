"""What a running stream is updated against: labels, names of state and timers, coders, forms of messages and states.

An engine finds the state of a key by the step's full label, the state's name and its coder. Each version's contract is
in its repository, `tests/golden/stream/contract.json`; a test there says what of it may change.
"""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any, Final

import apache_beam as beam
import msgspec
from apache_beam.portability.api import beam_runner_api_pb2 as proto

from uncommon_im.pipeline import stream
from uncommon_im.pipeline.configuration.configuration import Configuration
from uncommon_im.pipeline.sinks import Sinks
from uncommon_im.pipeline.sources.files.json_lines import JsonOptions
from uncommon_im.pipeline.sources.queues.arrivals import OpenArrivals
from uncommon_im.pipeline.sources.replay.replay import ReadArrivals
from uncommon_im.schemas.catalogue import load_catalogue
from uncommon_im.schemas.detector import load_detector
from uncommon_im.transforms.rules.instances.packed import PACKED_COLUMNS
from uncommon_im.transforms.rules.stream import messages
from uncommon_im.transforms.rules.stream.baselines import BaselineState
from uncommon_im.transforms.rules.stream.codec import VERSION
from uncommon_im.transforms.rules.stream.flood import FloodState
from uncommon_im.transforms.rules.stream.hosts import HostState, Recent
from uncommon_im.transforms.rules.stream.instances import InstanceState
from uncommon_im.transforms.rules.stream.judging import JudgeState, Told
from uncommon_im.transforms.rules.stream.lateness import Lateness

if TYPE_CHECKING:
    from uncommon_im.pipeline.bigquery.tables import Dataset

STATES: Final = (InstanceState, HostState, Recent, BaselineState, JudgeState, Told, FloodState)


def contract(bigquery: Dataset | None = None) -> dict[str, Any]:
    """What an engine or a stored byte may know of the stream, as JSON.

    Args:
        bigquery: where the stream also writes; its steps are no part of the frozen contract.
    """
    pipeline, configuration = beam.Pipeline(), Configuration(load_detector(), load_catalogue(), verdicts=True)
    blocks = pipeline | "ReadArrivals" >> ReadArrivals("/nowhere")
    found = stream.detect(blocks, OpenArrivals(JsonOptions()), configuration, Lateness())
    sinks = Sinks("/nowhere", None, "/nowhere", bigquery)
    stream.write(found, sinks, configuration, Lateness())
    graph = pipeline.to_runner_api()
    steps = {}
    for transform in graph.components.transforms.values():
        if transform.spec.urn == "beam:transform:pardo:v1":
            payload = proto.ParDoPayload.FromString(transform.spec.payload)
            if payload.state_specs or payload.timer_family_specs:
                steps[transform.unique_name] = _step(payload, transform, graph.components)
    labels = sorted(
        t.unique_name for t in graph.components.transforms.values() if t.unique_name and not t.subtransforms
    )
    forms = {
        kind.__name__: _form(kind) for kind in (*typing.get_args(messages.Message), messages.Communication, *STATES)
    }
    rows = {"version": VERSION.hex(), "packed_columns": list(PACKED_COLUMNS)}
    return rows | {"labels": labels, "stateful_steps": steps, "forms": forms}


def _step(payload: Any, transform: Any, components: Any) -> dict[str, Any]:
    (source,) = transform.inputs.values()
    states = {name: _state_coder(spec, components) for name, spec in payload.state_specs.items()}
    timers = {name: proto.TimeDomain.Enum.Name(spec.time_domain) for name, spec in payload.timer_family_specs.items()}
    key_value = _coder(components.pcollections[source].coder_id, components)
    return {"elements": key_value, "states": dict(sorted(states.items())), "timers": timers}


def _state_coder(spec: Any, components: Any) -> str:
    kind = spec.WhichOneof("spec")
    held = getattr(spec, kind)
    return f"{kind} of {_coder(getattr(held, 'element_coder_id', '') or held.coder_id, components)}"


def _coder(coder_id: str, components: Any) -> str:
    coder = components.coders[coder_id]
    parts = ", ".join(_coder(part, components) for part in coder.component_coder_ids)
    return coder.spec.urn + (f"({parts})" if parts else "")


def _form(kind: type[msgspec.Struct]) -> str:
    config, fields = kind.__struct_config__, msgspec.structs.fields(kind)
    assert config.array_like, f"{kind.__name__} must be a list: names of fields are not for the wire"
    return f"{config.tag or ''}[" + ", ".join(f"{field.name}: {field.type}" for field in fields) + "]"
