// SPDX-License-Identifier: Apache-2.0
//
// Byte for byte what two parsers that are not ours accept (tests/conformance). After a wanted change:
//   build/release/tests/conformance/write_exposition FORMAT > tests/fixtures/exposition/hostile.FORMAT.txt
#include <gtest/gtest.h>

#include <algorithm>

#include "agent/base/file.h"
#include "exporters/openmetrics.h"
#include "exporters/prometheus_text.h"
#ifdef CONNSCOPE_WITH_PROMETHEUS_PROTOBUF
#include "exporters/prometheus_protobuf.h"
#endif
#ifdef CONNSCOPE_WITH_OTLP
#include "exporters/otlp.h"
#endif
#ifdef CONNSCOPE_WITH_REMOTE_WRITE
#include "exporters/remote_write.h"
#endif
#include "tests/conformance/hostile_snapshot.h"

namespace connscope::exporters {
namespace {

std::string golden(const std::string& format) {
  const auto content = read_file(CONNSCOPE_SOURCE_DIR "/tests/fixtures/exposition/hostile." + format + ".txt");
  return content ? *content : content.error().message();
}

std::string encoded(const Encoder& encoder) {
  std::string out;
  encoder.encode(*test::make_hostile_snapshot(), {}, out);
  return out;
}

TEST(Golden, OpenMetrics) { EXPECT_EQ(encoded(OpenMetricsEncoder("1.0.0")), golden("openmetrics")); }

TEST(Golden, PrometheusText) { EXPECT_EQ(encoded(PrometheusTextEncoder()), golden("prometheus")); }

/// Of formats that no terminal shows.
[[maybe_unused]] void expect_golden_bytes(const std::string& got, const std::string& format) {
  const std::string wanted = golden(format);
  EXPECT_EQ(got.size(), wanted.size());
  EXPECT_TRUE(got == wanted) << "differs from byte "
                             << std::mismatch(got.begin(), got.end(), wanted.begin(), wanted.end()).first - got.begin();
}

#ifdef CONNSCOPE_WITH_PROMETHEUS_PROTOBUF
TEST(Golden, PrometheusProtobuf) { expect_golden_bytes(encoded(PrometheusProtobufEncoder()), "protobuf"); }
#endif

#ifdef CONNSCOPE_WITH_OTLP
TEST(Golden, OtlpProtobuf) {
  std::string out;
  EXPECT_EQ(encode_otlp(nullptr, *test::make_hostile_snapshot(), {}, {}, out), 2U) << "gauge histograms";
  expect_golden_bytes(out, "otlp_protobuf");
}

TEST(Golden, OtlpJson) {
  std::string out;
  encode_otlp(nullptr, *test::make_hostile_snapshot(), {}, {MessageEncoding::kJson, false, {}}, out);
  EXPECT_EQ(out, golden("otlp_json"));
}
#endif

#ifdef CONNSCOPE_WITH_REMOTE_WRITE
TEST(Golden, RemoteWrite) {
  std::string out;
  encode_remote_write(nullptr, *test::make_hostile_snapshot(), {}, {{{"job", "j"}}, true, true},
                      [&out](std::string_view request, std::uint32_t) { out += request; });
  expect_golden_bytes(out, "remote_write");
}
#endif

}  // namespace
}  // namespace connscope::exporters
