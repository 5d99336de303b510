#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Reads the hostile snapshot as OTLP in both encodings, with a decoder that is not ours.

Usage: otlp_decode.py WRITE_EXPOSITION

A field that the published definitions do not have is an error, in either encoding; both say the same; and what they say is
what is in the snapshot (hostile_snapshot.cpp)."""

import math
import subprocess
import sys

from google.protobuf import json_format

from otlp_messages import attributes, message


def output(program: str, form: str) -> bytes:
    return subprocess.run([program, form], check=True, capture_output=True).stdout


def read_protobuf(data: bytes):
    request = message("ExportMetricsServiceRequest")()
    request.ParseFromString(data)
    known = request.__class__()
    known.CopyFrom(request)
    known.DiscardUnknownFields()
    assert known.ByteSize() == request.ByteSize(), "there are fields that nobody has published"
    return request


def read_json(data: bytes):
    return json_format.Parse(data, message("ExportMetricsServiceRequest")())  # refuses unknown fields


def points(request, name: str) -> list:
    found = []
    for resource in request.resource_metrics:
        for scope in resource.scope_metrics:
            for metric in scope.metrics:
                if metric.name == name:
                    found += next(value for field, value in metric.ListFields() if field.message_type).data_points
    assert found, f"there is no {name}"
    return found


def by_attribute(request, name: str, attribute: str) -> dict:
    return {attributes(point.attributes).get(attribute, ""): point for point in points(request, name)}


def check_values(request):
    resource = attributes(request.resource_metrics[0].resource.attributes)
    assert resource["service.name"] == "connscope", resource
    sent = by_attribute(request, "hostile_sent_bytes", "case")
    assert sent["two to the 53 and one"].as_int == 2 ** 53 + 1, "an integer stays exact"
    assert sent["greatest"].as_double == 2.0 ** 64, "what no sfixed64 holds is a double"
    assert sent["fraction"].as_double == 0.1
    level = by_attribute(request, "hostile_level", "case")
    assert math.isnan(level["nan"].as_double) and level["minus inf"].as_double == -math.inf
    assert any(text == 'a"b\\c\n' for text in by_attribute(request, "hostile_requests", "text"))
    assert any("\N{FOX FACE}" in text or "\U0001F989" in text for text in by_attribute(request, "hostile_requests", "text"))


def check_histogram(request):
    point = by_attribute(request, "hostile_latency_seconds", "text")['a"b\\c\n']
    assert point.count == point.zero_count + sum(point.positive.bucket_counts) == 9, point
    assert point.scale == 2
    # Bucket i is above base^i, and the second value from below is at most its upper bound.
    lowest = 2.0 ** (point.positive.offset / 2 ** point.scale)
    assert point.zero_threshold <= lowest, (point.zero_threshold, lowest)


def check_exemplars(request):
    latency = by_attribute(request, "hostile_latency_seconds", "text")['a"b\\c\n'].exemplars
    told = [(attributes(one.filtered_attributes), one.as_double) for one in latency]
    assert told == [({"peer": "[2001:db8::1]:443"}, 0.25)], f"of the two of one millisecond: {told}"
    told = [attributes(one.filtered_attributes) for point in points(request, "hostile_requests") for one in point.exemplars]
    assert told == [{"peer": 'a"b\\c\n', "host": "a\ufffd\ufffd"}], told
    assert all(one.time_unix_nano > 0 for one in latency)


def main(program: str) -> int:
    binary = read_protobuf(output(program, "otlp_protobuf"))
    text = read_json(output(program, "otlp_json"))
    for request in (binary, text):
        check_values(request)
        check_histogram(request)
        check_exemplars(request)
    # NaN is not equal to itself, but its text is.
    assert json_format.MessageToDict(binary) == json_format.MessageToDict(text), "the encodings differ"
    print("OTLP: both encodings are read by python3-protobuf, and are the same")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
