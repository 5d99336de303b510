// SPDX-License-Identifier: Apache-2.0
//
// The agent's packet programs beside those of others at the same cgroup: these stay attached, in their order, and see
// every packet, whatever becomes of the agent; and nothing of the agent's outlives it.
#include <algorithm>
#include <csignal>
#include <memory>
#include <set>

#include "tests/integration/bpf_required.h"
#include "tests/integration/dns_counts.h"
#include "tests/integration/lab.h"
#include "tests/integration/world.h"
#include "tests/support/cgroup.h"
#include "tests/support/eventually.h"
#include "tests/support/packet_neighbour.h"

namespace connscope::testing {
namespace {

using Ids = std::vector<std::uint32_t>;

constexpr std::chrono::seconds kLimit(10);

/// One program a direction.
struct Neighbours {
  PacketNeighbour ingress;
  PacketNeighbour egress;

  static Neighbours attach(const std::string& path) {
    return {must(PacketNeighbour::attach(path, Direction::kIngress)),
            must(PacketNeighbour::attach(path, Direction::kEgress))};
  }
  [[nodiscard]] const PacketNeighbour& at(Direction direction) const {
    return direction == Direction::kIngress ? ingress : egress;
  }
};

class DnsCgroupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    CONNSCOPE_NEEDS_BPF();
    root_ = must(cgroup2_mount());
    apart_ = std::make_unique<NetNamespace>(must(NetNamespace::create()));
    client_ = std::make_unique<Actor>(must(Actor::create("cgroup_c", CONNSCOPE_DNS_ACTOR)));
    server_ = std::make_unique<Actor>(must(Actor::create("cgroup_s", CONNSCOPE_DNS_ACTOR)));
    listener_ = std::make_unique<Listener>(must(Listener::serve(*server_, {"127.0.0.1", "53"}, apart_->fd())));
    for (const Direction direction : {Direction::kIngress, Direction::kEgress}) {
      others_[direction] = must(programs_at(root_, direction));
    }
  }

  void start_agent() {
    agent_ = std::make_unique<AgentProcess>(must(AgentProcess::start({CONNSCOPE_AGENT}, kWithoutTls)));
  }
  void kill_agent() {
    must(agent_->process().send_signal(SIGKILL));
    must(agent_->process().wait(kLimit));
  }

  /// Those of `neighbours` are at the cgroup in this order, after those that were there before the test and, where the
  /// agent runs, with one more somewhere.
  void expect_in_order(const std::vector<const Neighbours*>& neighbours, bool with_agent) const {
    for (const Direction direction : {Direction::kIngress, Direction::kEgress}) {
      SCOPED_TRACE(direction == Direction::kIngress ? "ingress" : "egress");
      Ids wanted = others_.at(direction);
      for (const Neighbours* each : neighbours) wanted.push_back(each->at(direction).program_id());
      Ids found;
      eventually(kLimit, [&] {
        found = must(programs_at(root_, direction));
        return found.size() == wanted.size() + (with_agent ? 1 : 0);
      });
      EXPECT_EQ(found.size(), wanted.size() + (with_agent ? 1 : 0));
      found.erase(std::remove_if(found.begin(), found.end(),
                                 [&wanted](std::uint32_t id) {
                                   return std::find(wanted.begin(), wanted.end(), id) == wanted.end();
                                 }),
                  found.end());
      EXPECT_EQ(found, wanted);
    }
  }

  /// One look-up is two packets sent and two received, and each neighbour sees them.
  void expect_running(const std::vector<const Neighbours*>& neighbours) const {
    std::vector<std::uint64_t> before;
    for (const Neighbours* each : neighbours) {
      before.push_back(each->ingress.count());
      before.push_back(each->egress.count());
    }
    must(client_->run({"ask", "127.0.0.1", "53", "--do", "udp,ask:ok.c.test,read:1"}, apart_->fd()));
    for (std::size_t i = 0; i < neighbours.size(); ++i) {
      EXPECT_GE(neighbours[i]->ingress.count(), before[2 * i] + 2);
      EXPECT_GE(neighbours[i]->egress.count(), before[2 * i + 1] + 2);
    }
  }
  [[nodiscard]] double queries() const { return DnsCounts::of(must(agent_->scrape()), client_->name()).all_queries(); }

  std::string root_;
  std::unique_ptr<NetNamespace> apart_;
  std::unique_ptr<Actor> client_;
  std::unique_ptr<Actor> server_;
  std::unique_ptr<Listener> listener_;
  std::map<Direction, Ids> others_;
  std::unique_ptr<AgentProcess> agent_;
};

TEST_F(DnsCgroupTest, NeighboursStayInOrderAndRunBeforeWhileAndAfterTheAgent) {
  const Neighbours first = Neighbours::attach(root_);
  const Neighbours second = Neighbours::attach(root_);
  expect_in_order({&first, &second}, false);
  expect_running({&first, &second});

  start_agent();
  expect_in_order({&first, &second}, true);
  expect_running({&first, &second});
  EXPECT_EQ(queries(), 1);
  const Neighbours third = Neighbours::attach(root_);
  expect_in_order({&first, &second, &third}, true);
  expect_running({&first, &second, &third});
  EXPECT_EQ(queries(), 2);

  EXPECT_TRUE(ended_well(must(agent_->stop())));
  expect_in_order({&first, &second, &third}, false);
  expect_running({&first, &second, &third});
}

TEST_F(DnsCgroupTest, NeighboursOutliveAnAgentThatIsKilledAndItsSuccessor) {
  const Neighbours first = Neighbours::attach(root_);
  start_agent();
  const Neighbours second = Neighbours::attach(root_);
  kill_agent();
  expect_in_order({&first, &second}, false);
  expect_running({&first, &second});
  start_agent();
  expect_in_order({&first, &second}, true);
  expect_running({&first, &second});
  EXPECT_EQ(queries(), 1);
  kill_agent();
  expect_in_order({&first, &second}, false);
  expect_running({&first, &second});
}

/// A neighbour may leave while the agent runs.
TEST_F(DnsCgroupTest, ANeighbourThatLeavesTakesNothingWithIt) {
  const Neighbours first = Neighbours::attach(root_);
  start_agent();
  {
    const Neighbours second = Neighbours::attach(root_);
    expect_in_order({&first, &second}, true);
  }
  expect_in_order({&first}, true);
  expect_running({&first});
  EXPECT_EQ(queries(), 1);
}

TEST_F(DnsCgroupTest, NothingOfTheAgentsIsLeftWhenItIsKilledAndStartedAnew) {
  const std::set<std::uint32_t> programs = all_programs();
  const std::set<std::uint32_t> links = all_links();
  std::size_t of_agent = 0;
  for (int run = 1; run <= 3; ++run) {
    SCOPED_TRACE("run " + std::to_string(run));
    start_agent();
    const std::size_t more = all_programs().size() - programs.size();
    EXPECT_GT(more, 2U);
    if (run > 1) {
      EXPECT_EQ(more, of_agent) << "each has as many as the one before";
    }
    of_agent = more;
    EXPECT_GT(all_links().size(), links.size());
    kill_agent();
    // The kernel frees programs by and by.
    EXPECT_TRUE(eventually(kLimit, [&] { return all_programs() == programs && all_links() == links; }))
        << all_programs().size() - programs.size() << " programs, " << all_links().size() - links.size() << " links";
  }
}

}  // namespace
}  // namespace connscope::testing
