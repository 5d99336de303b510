// SPDX-License-Identifier: Apache-2.0
#include "agent/detail/connection.h"

#include <gtest/gtest.h>

namespace connscope::detail {
namespace {

TEST(Connection, IdsLeadToTheirMetricsAndBack) {
  for (const Metric metric : {Metric::kLookup, Metric::kQuery, Metric::kConnect, Metric::kTls, Metric::kAttempt})
    EXPECT_EQ(metric_of(id_of(metric)), metric);
  EXPECT_EQ(id_of(Metric::kQuery), "n.cn.adns");
}

TEST(Connection, AMetricWithoutAnIdIsNotFoundByAnEmptyOne) {
  EXPECT_EQ(id_of(Metric::kLife), "");
  EXPECT_EQ(metric_of(""), std::nullopt);
  EXPECT_EQ(metric_of("n.cn"), std::nullopt);
}

TEST(Connection, NamesAreThoseOfTheLabels) {
  EXPECT_EQ(name_of(Stage::kDns), "dns");
  EXPECT_EQ(name_of(Stage::kAttempt), "attempt");
  EXPECT_EQ(name_of(Role::kClient), "client");
  EXPECT_EQ(name_of(Role::kServer), "server");
}

}  // namespace
}  // namespace connscope::detail
