# SPDX-License-Identifier: Apache-2.0
"""OTLP's messages for metrics, as opentelemetry-proto 1.0 publishes them, for Debian's python3-protobuf: so that what we write is
read by a decoder that shares nothing with our encoder. Names, numbers and types are the published ones."""

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

PACKAGE = "otlp"

# MESSAGE: fields as "NUMBER [repeated] TYPE NAME"; a type with a capital is a message.
MESSAGES = {
    "ExportMetricsServiceRequest": ["1 repeated ResourceMetrics resource_metrics"],
    "ExportMetricsServiceResponse": ["1 ExportMetricsPartialSuccess partial_success"],
    "ExportMetricsPartialSuccess": ["1 int64 rejected_data_points", "2 string error_message"],
    "ResourceMetrics": ["1 Resource resource", "2 repeated ScopeMetrics scope_metrics", "3 string schema_url"],
    "Resource": ["1 repeated KeyValue attributes", "2 uint32 dropped_attributes_count"],
    "KeyValue": ["1 string key", "2 AnyValue value"],
    "AnyValue": ["1 string string_value", "2 bool bool_value", "3 int64 int_value", "4 double double_value"],
    "ScopeMetrics": ["1 InstrumentationScope scope", "2 repeated Metric metrics", "3 string schema_url"],
    "InstrumentationScope": ["1 string name", "2 string version", "3 repeated KeyValue attributes"],
    "Metric": ["1 string name", "2 string description", "3 string unit", "5 Gauge gauge", "7 Sum sum", "9 Histogram histogram",
               "10 ExponentialHistogram exponential_histogram", "11 Summary summary"],
    "Gauge": ["1 repeated NumberDataPoint data_points"],
    "Sum": ["1 repeated NumberDataPoint data_points", "2 int32 aggregation_temporality", "3 bool is_monotonic"],
    "Histogram": ["1 repeated HistogramDataPoint data_points", "2 int32 aggregation_temporality"],
    "ExponentialHistogram": ["1 repeated ExponentialHistogramDataPoint data_points", "2 int32 aggregation_temporality"],
    "Summary": ["1 repeated SummaryDataPoint data_points"],
    "NumberDataPoint": ["7 repeated KeyValue attributes", "2 fixed64 start_time_unix_nano", "3 fixed64 time_unix_nano",
                        "4 double as_double", "5 repeated Exemplar exemplars", "6 sfixed64 as_int", "8 uint32 flags"],
    "Exemplar": ["2 fixed64 time_unix_nano", "3 double as_double", "4 bytes span_id", "5 bytes trace_id", "6 sfixed64 as_int",
                 "7 repeated KeyValue filtered_attributes"],
    "HistogramDataPoint": ["9 repeated KeyValue attributes", "2 fixed64 start_time_unix_nano", "3 fixed64 time_unix_nano",
                           "4 fixed64 count", "5 double sum", "6 repeated fixed64 bucket_counts",
                           "7 repeated double explicit_bounds", "8 repeated Exemplar exemplars", "10 uint32 flags", "11 double min",
                           "12 double max"],
    "ExponentialHistogramDataPoint": ["1 repeated KeyValue attributes", "2 fixed64 start_time_unix_nano",
                                      "3 fixed64 time_unix_nano", "4 fixed64 count", "5 double sum", "6 sint32 scale",
                                      "7 fixed64 zero_count", "8 Buckets positive", "9 Buckets negative", "10 uint32 flags",
                                      "11 repeated Exemplar exemplars", "12 double min", "13 double max", "14 double zero_threshold"],
    "Buckets": ["1 sint32 offset", "2 repeated uint64 bucket_counts"],
    "SummaryDataPoint": ["7 repeated KeyValue attributes", "2 fixed64 start_time_unix_nano", "3 fixed64 time_unix_nano",
                         "4 fixed64 count", "5 double sum", "6 repeated ValueAtQuantile quantile_values", "8 uint32 flags"],
    "ValueAtQuantile": ["1 double quantile", "2 double value"],
}


def _file() -> descriptor_pb2.FileDescriptorProto:
    file = descriptor_pb2.FileDescriptorProto(name="otlp_metrics.proto", package=PACKAGE, syntax="proto3")
    kinds = descriptor_pb2.FieldDescriptorProto
    for name, fields in MESSAGES.items():
        message = file.message_type.add(name=name)
        for text in fields:
            number, *repeated, kind, field_name = text.split()
            field = message.field.add(name=field_name, number=int(number),
                                      label=kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL)
            if kind[0].isupper():
                field.type, field.type_name = kinds.TYPE_MESSAGE, f".{PACKAGE}.{kind}"
            else:
                field.type = getattr(kinds, f"TYPE_{kind.upper()}")
    return file


_POOL = descriptor_pool.DescriptorPool()
_POOL.Add(_file())
_FACTORY = message_factory.MessageFactory(_POOL)


def message(name: str):
    """The class of a message."""
    return _FACTORY.GetPrototype(_POOL.FindMessageTypeByName(f"{PACKAGE}.{name}"))


def attributes(pairs) -> dict:
    return {pair.key: pair.value.string_value for pair in pairs}
