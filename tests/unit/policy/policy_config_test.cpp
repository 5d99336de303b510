// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "agent/policy/policy.h"

namespace connscope::policy {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

struct Read {
  std::vector<Policy> policies;
  std::string problems;
};

Read read(const std::string& text) {
  const auto document = config::Document::parse(text, "c.toml").value();
  Read made;
  made.policies = parse_policies(document.root(), {"log", "statsd"});
  const Status legal = document.finish();
  made.problems = legal ? "" : legal.error().message();
  return made;
}

std::string with(const std::string& line) {
  return "[[policy]]\nname = \"p\"\ninterval = \"1s\"\nreport = \"*\"\nto = \"log\"\n" + line + "\n";
}

TEST(PolicyConfig, L11_APolicyHasANameAScheduleGlobsAndExporters) {
  const Read made = read(
      "[[policy]]\nname = \"30secs\"\ninterval = \"30s\"\nreport = [\"*.n.cn.*\", \"cpu.*\"]\nto = [\"statsd\", "
      "\"log\"]\noutliers = { percent = 200, min_samples = 30, keep = 5, at_once = true }\ninactivity = true\n"
      "at_start = true\nat_stop = false\n");
  EXPECT_EQ(made.problems, "");
  ASSERT_EQ(made.policies.size(), 1U);
  const Policy& policy = made.policies[0];
  EXPECT_EQ(policy.name, "30secs");
  EXPECT_EQ(policy.interval, std::chrono::seconds(30));
  EXPECT_THAT(policy.report, ElementsAre("*.n.cn.*", "cpu.*"));
  EXPECT_THAT(policy.to, ElementsAre("statsd", "log"));
  EXPECT_TRUE(policy.inactivity && policy.at_start && !policy.at_stop);
  ASSERT_TRUE(policy.outliers);
  EXPECT_EQ(policy.outliers->percent, 200);
  EXPECT_EQ(policy.outliers->min_samples, 30U);
  EXPECT_EQ(policy.outliers->keep, 5U);
  EXPECT_TRUE(policy.outliers->at_once);
}

TEST(PolicyConfig, DefaultsSayNothingUnlessSomethingHappened) {
  const Read made = read(with(""));
  EXPECT_EQ(made.problems, "");
  const Policy& policy = made.policies.at(0);
  EXPECT_FALSE(policy.inactivity || policy.at_start || policy.outliers);
  EXPECT_TRUE(policy.at_stop);
}

TEST(PolicyConfig, P13_AnIntervalMayBeManual) {
  const Read made = read("[[policy]]\nname = \"p\"\ninterval = \"manual\"\nreport = \"*\"\nto = \"log\"\n");
  EXPECT_EQ(made.problems, "");
  EXPECT_EQ(made.policies.at(0).interval, std::nullopt);
}

struct Wrong {
  const char* text;
  const char* problem;
};

class PolicyProblem : public ::testing::TestWithParam<Wrong> {};

TEST_P(PolicyProblem, P13_IsRefusedWithItsLine) {
  EXPECT_THAT(read(GetParam().text).problems, HasSubstr(GetParam().problem));
}

constexpr char kBase[] = "[[policy]]\nname = \"p\"\nreport = \"*\"\nto = \"log\"\ninterval = ";
const std::string kBad[] = {kBase + std::string("30"), kBase + std::string("\"soon\""), kBase + std::string("\"0s\""),
                            kBase + std::string("\"25h\""), kBase + std::string("[\"1s\"]")};

INSTANTIATE_TEST_SUITE_P(
    All, PolicyProblem,
    ::testing::Values(
        Wrong{kBad[0].c_str(),
              "c.toml:5: policy.interval: has no unit; allowed: \"manual\", or from \"100ms\" to \"1d\""},
        Wrong{kBad[1].c_str(), "c.toml:5: policy.interval: \"soon\" is not a duration"},
        Wrong{kBad[2].c_str(), "c.toml:5: policy.interval: \"0s\" is out of range"},
        Wrong{kBad[3].c_str(), "c.toml:5: policy.interval: \"25h\" is out of range"},
        Wrong{kBad[4].c_str(), "c.toml:5: policy.interval: is an array"},
        Wrong{"[[policy]]\nname = \"p\"\nreport = \"*\"\nto = \"log\"\n", "c.toml:1: policy: has no interval"},
        Wrong{"[[policy]]\ninterval = \"1s\"\nreport = \"*\"\nto = \"log\"\n", "c.toml:1: policy: has no name"},
        Wrong{"[[policy]]\nname = \"a b\"\ninterval = \"1s\"\nreport = \"*\"\nto = \"log\"\n",
              "c.toml:2: policy.name: \"a b\" is no name of a policy"},
        Wrong{"[[policy]]\nname = \"p\"\ninterval = \"1s\"\nreport = []\nto = \"log\"\n",
              "c.toml:4: policy.report: has no pattern"},
        Wrong{"[[policy]]\nname = \"p\"\ninterval = \"1s\"\nreport = [\"\"]\nto = \"log\"\n",
              "c.toml:4: policy.report: has an empty pattern"},
        Wrong{"[[policy]]\nname = \"p\"\ninterval = \"1s\"\nreport = \"*\"\nto = \"statds\"\n",
              "c.toml:5: policy.to: \"statds\" is no exporter (did you mean statsd?); allowed: log, statsd"},
        Wrong{"[[policy]]\nname = \"p\"\ninterval = \"1s\"\nreport = \"*\"\nto = [\"log\", \"log\"]\n",
              "c.toml:5: policy.to: \"log\" is there twice"},
        Wrong{"[[policy]]\nname = \"p\"\ninterval = \"1s\"\nreport = \"*\"\n", "policy.to: has no exporter"},
        Wrong{"policy = 3\n", "c.toml:1: policy: is an integer; allowed: an array of tables"}));

TEST(PolicyConfig, ANameIsThereOnce) {
  EXPECT_THAT(read(with("") + with("")).problems, HasSubstr("c.toml:8: policy.name"));
}

TEST(PolicyConfig, OutliersNeedAPercentage) {
  EXPECT_THAT(read(with("outliers = {}")).problems, HasSubstr("c.toml:6: policy.outliers: has no percent"));
  EXPECT_THAT(read(with("outliers = { percent = 0 }")).problems, HasSubstr("out of range"));
  EXPECT_THAT(read(with("outliers = { percent = 50, min_samples = 0 }")).problems, HasSubstr("out of range"));
  EXPECT_THAT(read(with("outliers = { precent = 50 }")).problems, HasSubstr("did you mean percent"));
}

}  // namespace
}  // namespace connscope::policy
