// SPDX-License-Identifier: Apache-2.0
#include "exporters/catalog.h"

#include <gtest/gtest.h>

namespace connscope::exporters {
namespace {

TEST(Catalog, PrometheusTextIsTheDefaultAndOpenMetricsOnlyWhenNamed) {
  const auto formats = make_formats();
  ASSERT_GE(formats.size(), 3U);
  EXPECT_EQ(formats[0].media_type, "text/plain; version=0.0.4");
  EXPECT_FALSE(formats[0].only_when_named);
  EXPECT_EQ(formats[0].encoder->content_type(), "text/plain; version=0.0.4; charset=utf-8");
  EXPECT_EQ(formats[1].media_type, "application/openmetrics-text; version=1.0.0");
  EXPECT_TRUE(formats[1].only_when_named);
  EXPECT_EQ(formats[1].encoder->content_type(), "application/openmetrics-text; version=1.0.0; charset=utf-8");
  EXPECT_EQ(formats[2].media_type, "application/openmetrics-text; version=0.0.1");
  EXPECT_TRUE(formats[2].only_when_named);
  EXPECT_EQ(formats[2].encoder->content_type(), "application/openmetrics-text; version=0.0.1; charset=utf-8");
}

#ifdef CONNSCOPE_WITH_PROMETHEUS_PROTOBUF
TEST(Catalog, ProtobufIsOnlyForWhoNamesIt) {
  const auto formats = make_formats();
  EXPECT_EQ(formats.back().media_type,
            "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited");
  EXPECT_TRUE(formats.back().only_when_named);
  EXPECT_EQ(formats.back().encoder->content_type(), formats.back().media_type);
}
#endif

}  // namespace
}  // namespace connscope::exporters
