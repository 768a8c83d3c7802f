"""Beam's own options are parsed once, and are what Beam's are."""

from __future__ import annotations

import pickle

import pytest
from apache_beam.options.pipeline_options import GoogleCloudOptions, PipelineOptions, WorkerOptions

from uncommon_im.pipeline.options.beam import OnceParsedOptions, beam_options

FLAGS = ["--temp_location=gs://a/b", "--num_workers", "3", "--runner=FnApiRunner", "--experiments=x", "--experiments=y"]


@pytest.mark.parametrize("options", [OnceParsedOptions(FLAGS), pickle.loads(pickle.dumps(OnceParsedOptions(FLAGS)))])
def test_they_tell_what_beams_tell_pickled_too(options: PipelineOptions) -> None:
    assert options.get_all_options() == PipelineOptions(FLAGS).get_all_options()


def test_a_view_is_made_once_and_what_is_changed_in_one_shows_in_others() -> None:
    options = beam_options(FLAGS)
    view = options.view_as(WorkerOptions)
    assert options.view_as(WorkerOptions) is view
    view.num_workers = 5
    assert options.view_as(GoogleCloudOptions).view_as(WorkerOptions).num_workers == 5
    assert options.get_all_options()["num_workers"] == 5


def test_an_account_that_is_for_the_submission_alone_does_not_travel() -> None:
    options = OnceParsedOptions(["--impersonate_service_account=somebody"])
    copied = pickle.loads(pickle.dumps(options))
    assert copied.view_as(GoogleCloudOptions).impersonate_service_account is None
    assert options.view_as(GoogleCloudOptions).impersonate_service_account == "somebody"
