// SPDX-License-Identifier: Apache-2.0
//
// The connection to systemd against a manager of the test's own, at the other end of a pair of sockets.
#include "agent/host/systemd_bus.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#include <atomic>
#include <map>
#include <thread>

namespace connscope::host {
namespace {

using ::testing::ElementsAre;
using ::testing::Pair;

/// Answers ListUnits and Properties.Get as systemd does; what it has no value for is an error, as there.
class FakeManager {
 public:
  enum class Manner { kAnswers, kIsSilent, kSaysAbsent };

  explicit FakeManager(Manner manner = Manner::kAnswers) : manner_(manner) {}
  FakeManager(const FakeManager&) = delete;
  FakeManager& operator=(const FakeManager&) = delete;
  ~FakeManager() { hang_up(); }

  /// The client's end of a new connection.
  int accept(sd_bus** client) {
    hang_up();
    int ends[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends), 0);
    stopped_ = false;
    thread_ = std::thread([this, fd = ends[0]] { serve(fd); });
    ++connections;
    EXPECT_GE(sd_bus_new(client), 0);
    EXPECT_GE(sd_bus_set_fd(*client, ends[1], ends[1]), 0);
    return sd_bus_start(*client);
  }
  void hang_up() {
    stopped_ = true;
    if (thread_.joinable()) thread_.join();
  }

  struct Entry {
    const char* name;
    const char* loaded;
    const char* active;
    const char* path;
  };
  std::vector<Entry> units = {{"web.service", "loaded", "active", "/u/web"},
                              {"old.service", "not-found", "inactive", "/u/old"},
                              {"api.socket", "loaded", "active", "/u/api"},
                              {"day.timer", "loaded", "active", "/u/day"}};
  std::map<std::string, std::string> texts = {{"/u/web Type", "notify"},
                                              {"/org/freedesktop/systemd1 Version", "252"},
                                              {"/org/freedesktop/systemd1 SystemState", "running"}};
  std::map<std::string, std::uint32_t> words = {
      {"/u/web NRestarts", 3}, {"/u/api NAccepted", 30}, {"/u/api NConnections", 2}};
  std::map<std::string, std::uint64_t> numbers = {{"/u/day LastTriggerUSec", 1'700'000'000'000'000},
                                                  {"/u/web TasksCurrent", 5}};
  int connections = 0;

 private:
  void serve(int fd) {
    sd_bus* bus = nullptr;
    sd_id128_t id{};
    sd_bus_new(&bus);
    sd_bus_set_fd(bus, fd, fd);
    sd_bus_set_server(bus, 1, id);
    sd_bus_start(bus);
    sd_bus_add_filter(bus, nullptr, take, this);
    while (!stopped_ && sd_bus_process(bus, nullptr) >= 0) sd_bus_wait(bus, 10'000);
    sd_bus_close_unref(bus);
  }

  static int take(sd_bus_message* call, void* context, sd_bus_error* /*error*/) {
    auto& manager = *static_cast<FakeManager*>(context);
    if (manager.manner_ == Manner::kIsSilent) return 1;
    if (manager.manner_ == Manner::kSaysAbsent)
      return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_SERVICE_UNKNOWN, "no systemd");
    if (sd_bus_message_is_method_call(call, nullptr, "ListUnits") != 0) return manager.list(call);
    if (sd_bus_message_is_method_call(call, nullptr, "Get") != 0) return manager.get(call);
    return 0;
  }

  int list(sd_bus_message* call) {
    sd_bus_message* reply = nullptr;
    sd_bus_message_new_method_return(call, &reply);
    sd_bus_message_open_container(reply, 'a', "(ssssssouso)");
    for (const Entry& unit : units)
      sd_bus_message_append(reply, "(ssssssouso)", unit.name, "", unit.loaded, unit.active, "", "", unit.path, 0, "",
                            "/");
    sd_bus_message_close_container(reply);
    const int sent = sd_bus_send(nullptr, reply, nullptr);
    sd_bus_message_unref(reply);
    return sent < 0 ? sent : 1;
  }

  int get(sd_bus_message* call) {
    const char* interface = nullptr;
    const char* name = nullptr;
    sd_bus_message_read(call, "ss", &interface, &name);
    const std::string key = std::string(sd_bus_message_get_path(call)) + " " + name;
    if (const auto text = texts.find(key); text != texts.end())
      return sd_bus_reply_method_return(call, "v", "s", text->second.c_str());
    if (const auto word = words.find(key); word != words.end())
      return sd_bus_reply_method_return(call, "v", "u", word->second);
    if (const auto number = numbers.find(key); number != numbers.end())
      return sd_bus_reply_method_return(call, "v", "t", number->second);
    return sd_bus_reply_method_errorf(call, SD_BUS_ERROR_UNKNOWN_PROPERTY, "no %s", name);
  }

  Manner manner_;
  std::atomic<bool> stopped_ = false;
  std::thread thread_;
};

UnitWishes all_units() {
  UnitWishes wishes;
  wishes.wanted = [](const std::string& /*name*/) { return true; };
  return wishes;
}

SystemdBus bus_to(FakeManager& manager) {
  return SystemdBus([&manager](sd_bus** bus) { return manager.accept(bus); });
}

TEST(SystemdBus, TakesUnitsAndWhatTheyCount) {
  FakeManager manager;
  SystemdBus bus = bus_to(manager);
  const auto read = bus.read(all_units());
  ASSERT_TRUE(read) << read.error().message();
  ASSERT_TRUE(*read);
  const ServiceManager& got = **read;
  EXPECT_EQ(got.version, "252");
  EXPECT_EQ(got.state, "running");
  EXPECT_THAT(got.counts, ElementsAre(Pair("active", 3U), Pair("inactive", 1U)));
  ASSERT_EQ(got.units.size(), 3U);  // the one that is not found is counted alone
  EXPECT_EQ(got.units[0].name, "web.service");
  EXPECT_EQ(got.units[0].active_state, "active");
  EXPECT_EQ(got.units[0].type, "notify");
  EXPECT_EQ(got.units[0].restarts, std::nullopt);  // nobody asked
  EXPECT_EQ(got.units[1].accepted_connections, 30U);
  EXPECT_EQ(got.units[1].connections, 2U);
  EXPECT_EQ(got.units[1].refused_connections, std::nullopt);  // an older systemd
  EXPECT_EQ(got.units[2].last_trigger_us, 1'700'000'000'000'000U);
}

TEST(SystemdBus, AsksForWhatIsWished) {
  FakeManager manager;
  SystemdBus bus = bus_to(manager);
  UnitWishes wishes;
  wishes.wanted = [](const std::string& name) { return name == "web.service"; };
  wishes.restarts = wishes.tasks = true;
  const auto read = bus.read(wishes);
  ASSERT_TRUE(read && *read);
  ASSERT_EQ((*read)->units.size(), 1U);
  EXPECT_EQ((*read)->units[0].restarts, 3U);
  EXPECT_EQ((*read)->units[0].tasks, 5U);
  EXPECT_EQ((*read)->units[0].tasks_max, std::nullopt);
}

TEST(SystemdBus, TakesMoreUnitsThanQuestionsMayBeUnderWay) {
  FakeManager manager;
  manager.units.assign(500, {"web.service", "loaded", "active", "/u/web"});
  SystemdBus bus = bus_to(manager);
  const auto read = bus.read(all_units());
  ASSERT_TRUE(read && *read);
  ASSERT_EQ((*read)->units.size(), 500U);
  for (const Unit& unit : (*read)->units) EXPECT_EQ(unit.type, "notify");
}

TEST(SystemdBus, ConnectsAnewToOneThatWasRestarted) {
  FakeManager manager;
  SystemdBus bus = bus_to(manager);
  ASSERT_TRUE(bus.read(all_units()));
  ASSERT_TRUE(bus.read(all_units()));
  EXPECT_EQ(manager.connections, 1);
  manager.hang_up();
  const auto read = bus.read(all_units());
  EXPECT_TRUE(read && *read) << read.error().message();
  EXPECT_EQ(manager.connections, 2);
}

TEST(SystemdBus, WaitsForASecondAndNoLonger) {
  FakeManager manager(FakeManager::Manner::kIsSilent);
  SystemdBus bus = bus_to(manager);
  const auto begin = std::chrono::steady_clock::now();
  const auto read = bus.read(all_units());
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().message(), "systemd: list of units: Connection timed out");
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(4));
}

TEST(SystemdBus, ABusWithoutSystemdHasNothing) {
  FakeManager manager(FakeManager::Manner::kSaysAbsent);
  SystemdBus silent = bus_to(manager);
  const auto read = silent.read(all_units());
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_FALSE(*read);
  SystemdBus none([](sd_bus** /*bus*/) { return -ENOENT; });
  EXPECT_TRUE(none.read(all_units()) && !*none.read(all_units()));
  SystemdBus refused([](sd_bus** /*bus*/) { return -EACCES; });
  EXPECT_EQ(refused.read(all_units()).error().message(), "systemd: connection: Permission denied");
}

}  // namespace
}  // namespace connscope::host
