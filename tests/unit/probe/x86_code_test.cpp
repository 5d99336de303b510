// SPDX-License-Identifier: Apache-2.0
#include "agent/probe/x86_code.h"

#include <gtest/gtest.h>

#include <optional>
#include <random>
#include <vector>

namespace connscope::probe {
namespace {

using Bytes = std::vector<std::uint8_t>;

std::uint64_t emulated(const Bytes& code) { return emulated_offset(code, CallingConvention::kSystemV); }

Bytes operator+(Bytes left, const Bytes& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

const Bytes kEndbr64 = {0xf3, 0x0f, 0x1e, 0xfa};
const Bytes kPushRbp = {0x55};
const Bytes kPushR12 = {0x41, 0x54};
const Bytes kRet = {0xc3};
const Bytes kSubRsp = {0x48, 0x83, 0xec, 0x18};
const Bytes kMovEaxEdi = {0x89, 0xf8};
const Bytes kMovRdiRsp = {0x48, 0x89, 0xe7};

TEST(X86Code, ReturnsAreFoundAndNothingThatLooksLikeOne) {
  // mov $0xc3c3c3c3,%eax; ret; repz ret; ret $8
  const Bytes code = Bytes{0xb8, 0xc3, 0xc3, 0xc3, 0xc3} + kRet + Bytes{0xf3, 0xc3} + Bytes{0xc2, 0x08, 0x00};
  EXPECT_EQ(return_offsets(code).value(), (std::vector<std::uint64_t>{5, 6, 8}));
  EXPECT_TRUE(return_offsets(Bytes{}).value().empty());
}

TEST(X86Code, WhatIsNotCodeToItsEndHasNoReturns) {
  EXPECT_EQ(return_offsets(kRet + Bytes{0x06}).error().message(), "no instruction at 1 of the function");
  EXPECT_FALSE(return_offsets(kRet + Bytes{0xb8, 0x00}));  // cut
}

TEST(X86Code, AnEntryThatIsEmulatedIsThePlace) {
  for (const Bytes& first : {kPushRbp, kPushR12, Bytes{0x90}, Bytes{0xeb, 0x02}, Bytes{0xe9, 0, 0, 0, 0}})
    EXPECT_EQ(emulated(first + kSubRsp + kPushRbp), 0U);
}

TEST(X86Code, ThePlaceIsPastWhatLeavesTheArgumentsAlone) {
  EXPECT_EQ(emulated(kEndbr64 + kPushRbp + kRet), 4U);
  EXPECT_EQ(emulated(kEndbr64 + kPushR12 + kRet), 4U);
  EXPECT_EQ(emulated(kEndbr64 + kSubRsp + kMovEaxEdi + kPushRbp + kRet), 10U);
  const Bytes test_and_jump = {0x48, 0x85, 0xff, 0x0f, 0x84, 0, 1, 0, 0};  // test %rdi,%rdi; je
  EXPECT_EQ(emulated(test_and_jump), 3U);
}

TEST(X86Code, AnEntryWhereBranchesAreTrackedIsPastItsMark) {
  EXPECT_EQ(tracked_entry_offset(kEndbr64 + kPushRbp + kRet), 4U);
  EXPECT_EQ(tracked_entry_offset(kEndbr64 + kPushR12 + kRet), 4U);
  EXPECT_EQ(tracked_entry_offset(kPushRbp + kRet), 0U);                                 // there is no mark
  EXPECT_EQ(tracked_entry_offset(kEndbr64 + kSubRsp + kPushRbp + kRet), 0U);            // the stack has moved
  EXPECT_EQ(tracked_entry_offset(kEndbr64 + kPushRbp + Bytes{0xeb, 0xfd} + kRet), 0U);  // jmp to the push
  EXPECT_EQ(tracked_entry_offset(kEndbr64), 0U);
  EXPECT_EQ(tracked_entry_offset({}), 0U);
}

TEST(X86Code, APushOfWhatIsWiderOrNarrowerIsNoPlace) {
  EXPECT_EQ(emulated(kSubRsp + Bytes{0x66, 0x55} + kRet), 0U);              // push %bp
  EXPECT_EQ(emulated(kSubRsp + Bytes{0x68, 1, 0, 0, 0} + kRet), 0U);        // push $1
  EXPECT_EQ(emulated(kSubRsp + Bytes{0x0f, 0x1f, 0x44, 0, 0} + kRet), 0U);  // nopl, which old kernels single-step
}

TEST(X86Code, NoPlaceIsPastAChangeOfAnArgument) {
  EXPECT_EQ(emulated(kMovRdiRsp + kPushRbp + kRet), 0U);
  EXPECT_EQ(emulated(Bytes{0x31, 0xff} + kPushRbp + kRet), 0U);  // xor %edi,%edi changes %rdi
  // The same instruction changes an argument of Go's, and none of C's.
  const Bytes code = kMovEaxEdi + kPushRbp + kRet;
  EXPECT_EQ(emulated(code), 2U);
  EXPECT_EQ(emulated_offset(code, CallingConvention::kGo), 0U);
}

TEST(X86Code, NoPlaceIsPastABranchNorWhereOneLeadsTo) {
  EXPECT_EQ(emulated(kSubRsp + Bytes{0xff, 0xd0} + kPushRbp), 0U);          // call *%rax
  EXPECT_EQ(emulated(kEndbr64 + kPushRbp + Bytes{0xeb, 0xfd} + kRet), 0U);  // jmp to the push
  EXPECT_EQ(emulated(kEndbr64 + kPushRbp + Bytes{0xeb, 0xf9} + kRet), 4U);  // jmp to the entry
}

TEST(X86Code, AFunctionOfGoIsProbedAtTheCheckOfItsStack) {
  // cmp 0x10(%r14),%rsp; jbe; sub $0x18,%rsp; …; ret; call; jmp to the entry
  const Bytes code = Bytes{0x49, 0x3b, 0x66, 0x10, 0x76, 0x05} + kSubRsp + kRet + Bytes{0xe8, 0, 0, 0, 0, 0xeb, 0xee};
  EXPECT_EQ(emulated_offset(code, CallingConvention::kGo), 4U);
  EXPECT_EQ(return_offsets(code).value(), std::vector<std::uint64_t>{10});
}

// Code whose first call, at 2, is of what lies 0x100 behind its begin.
const Bytes kNop = {0x90};
const Bytes kCallOfIt = {0xe8, 0xf9, 0, 0, 0};
const Bytes kMovRdiMem = {0x48, 0x8b, 0xbb, 0xb0, 9, 0, 0};  // mov 0x9b0(%rbx),%rdi
const Bytes kCdqe = {0x48, 0x98};
const Bytes kOtherCall = {0xe8, 0, 0, 0, 0};
const Bytes kMovEbxEax = {0x89, 0xc3};
constexpr std::uint64_t kCallee = 0x100;
using Places = std::vector<std::uint64_t>;

std::optional<Places> after(const Bytes& code) { return after_calls(code, kCallee); }

TEST(X86Code, ThePlaceBehindACallIsEmulatedAndHasWhatItReturned) {
  EXPECT_EQ(after(kNop + kNop + kCallOfIt + kMovRdiMem + kCdqe + kOtherCall + kRet), Places{16});
  EXPECT_EQ(after(kNop + kNop + kCallOfIt + kOtherCall + kRet), Places{7});
  // test %eax,%eax; jne
  EXPECT_EQ(after(kNop + kNop + kCallOfIt + Bytes{0x85, 0xc0, 0x75, 0} + kRet), Places{9});
}

TEST(X86Code, WhereItIsLostBeforeThePlaceIsRightBehindTheCall) {
  EXPECT_EQ(after(kNop + kNop + kCallOfIt + kMovEbxEax + kOtherCall + kRet), Places{7});
  EXPECT_EQ(after(kNop + kNop + kCallOfIt + Bytes{0x31, 0xc0} + kOtherCall + kRet), Places{7});  // xor %eax,%eax
  EXPECT_EQ(after(kNop + kNop + kCallOfIt + kSubRsp + kOtherCall + kRet), Places{7});
  EXPECT_EQ(after(kNop + kNop + kCallOfIt + kMovRdiMem + kRet), Places{7});
}

TEST(X86Code, NoPlaceIsWhereTheKernelTakesNoProbe) {
  EXPECT_EQ(after(kNop + kNop + kCallOfIt + Bytes{0xf0, 0x48, 0xff, 0x03} + kRet), std::nullopt);  // lock incq (%rbx)
  EXPECT_EQ(after(kNop + kNop + kCallOfIt + Bytes{0xc5, 0xf8, 0x77} + kRet), std::nullopt);        // vzeroupper
}

TEST(X86Code, EachCallHasAPlaceAndACalleeMayLieBeforeTheCode) {
  const Bytes second_call = {0xe8, 0xf3, 0, 0, 0};  // at 8
  EXPECT_EQ(after(kNop + kNop + kCallOfIt + kNop + second_call + kNop), (Places{7, 13}));
  const Bytes call_of_before = {0xe8, 0xeb, 0xff, 0xff, 0xff};
  EXPECT_EQ(after_calls(call_of_before + kNop, std::uint64_t{0} - 0x10), Places{5});
  EXPECT_EQ(after(kOtherCall + kNop), Places{});
}

TEST(X86Code, APlaceThatIsComeToInAnotherWayIsNone) {
  const Bytes behind = kNop + kNop + kCallOfIt + kMovRdiMem + kOtherCall + kRet;
  EXPECT_EQ(after(behind), Places{14});
  EXPECT_EQ(after(behind + Bytes{0xeb, 0xfd}), Places{14});    // jmp to what is behind the place
  EXPECT_EQ(after(behind + Bytes{0xeb, 0xf8}), std::nullopt);  // jmp to the place
  EXPECT_EQ(after(behind + Bytes{0x75, 0xf1}), std::nullopt);  // jne to where the call returns to
}

TEST(X86Code, WhatJumpsToTheFunctionHasNoPlace) {
  EXPECT_EQ(after(kNop + kNop + kCallOfIt + kNop + Bytes{0xe9, 0xf3, 0, 0, 0}), std::nullopt);
  EXPECT_EQ(after(kNop + kNop + kCallOfIt + kNop + Bytes{0x0f, 0x84, 0xf2, 0, 0, 0}), std::nullopt);
}

TEST(X86Code, BytesThatLookLikeACallAreNone) {
  // mov $0xf9e8,%eax; add %al,(%rax): the call's bytes begin within an instruction.
  EXPECT_EQ(after(kNop + Bytes{0xb8, 0xe8, 0xf9, 0, 0, 0, 0x90}), std::nullopt);
  EXPECT_EQ(after(kNop + kNop + kCallOfIt), std::nullopt);                       // it returns to nowhere
  EXPECT_EQ(after(kNop + kNop + kCallOfIt + kNop + Bytes{0x06}), std::nullopt);  // no code to its end
}

TEST(X86Code, NoBytesMakeItGoAstray) {
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    Bytes code(random() % 64);
    for (std::uint8_t& byte : code) byte = static_cast<std::uint8_t>(random());
    EXPECT_TRUE(code.empty() || emulated(code) < code.size());
    EXPECT_TRUE(code.empty() || tracked_entry_offset(code) < code.size());
    const auto returns = return_offsets(code);
    EXPECT_TRUE(!returns || returns->size() <= code.size());
    const auto places = after_calls(code, random() % 64);
    EXPECT_TRUE(!places || places->size() <= code.size());
  }
}

}  // namespace
}  // namespace connscope::probe
