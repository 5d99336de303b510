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

#ifdef CONNSCOPE_WITH_PROMETHEUS_PROTOBUF
TEST(Golden, PrometheusProtobuf) {
  const std::string wanted = golden("protobuf");
  const std::string got = encoded(PrometheusProtobufEncoder());
  EXPECT_EQ(got.size(), wanted.size());
  EXPECT_TRUE(got == wanted) << "differs from byte "
                             << std::mismatch(got.begin(), got.end(), wanted.begin(), wanted.end()).first - got.begin();
}
#endif

}  // namespace
}  // namespace connscope::exporters
