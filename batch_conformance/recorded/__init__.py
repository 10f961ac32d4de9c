"""Recorded traffic: runs server checks on mocks, HAR files and cassettes, without sending anything."""

from batch_conformance.recorded.clauses import recorded_needs
from batch_conformance.recorded.files import NoSuchFiles, find_files
from batch_conformance.recorded.judging import judge_clause
from batch_conformance.recorded.recording import Draft, Recording, SetAside, recording_of
from batch_conformance.recorded.session import judge_recorded

__all__ = [
    "Draft",
    "NoSuchFiles",
    "Recording",
    "SetAside",
    "find_files",
    "judge_clause",
    "judge_recorded",
    "recorded_needs",
    "recording_of",
]
