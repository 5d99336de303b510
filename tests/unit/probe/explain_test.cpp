// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

#include "agent/probe/bpf_object.h"

namespace connscope::probe {
namespace {

using testing::HasSubstr;

TEST(ExplainRefusal, TellsPolicyFromAKernelThatLacksTheFeature) {
  EXPECT_THAT(explain_refusal(EPERM), HasSubstr("CAP_BPF"));
  EXPECT_THAT(explain_refusal(ESRCH), HasSubstr("BTF"));
  EXPECT_THAT(explain_refusal(EINVAL), HasSubstr("verifier"));
  EXPECT_EQ(explain_refusal(EBUSY), "Device or resource busy");
}

TEST(BpfObject, AnOpenThatFailsIsAnErrorAndNoCrash) {
  const auto object = BpfObject::load([]() -> Result<BpfObject::Opened> { return Error("no object"); }, {}, {});
  ASSERT_FALSE(object);
  EXPECT_EQ(object.error().message(), "no object");
  EXPECT_EQ(BpfObject().map_fd("any"), -1);
}

}  // namespace
}  // namespace connscope::probe
