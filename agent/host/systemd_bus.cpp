// SPDX-License-Identifier: Apache-2.0
#include "agent/host/systemd_bus.h"

#include <systemd/sd-bus.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

namespace connscope::host {
namespace {

using std::chrono::microseconds;
using Clock = std::chrono::steady_clock;

constexpr const char* kName = "org.freedesktop.systemd1";
constexpr const char* kManagerPath = "/org/freedesktop/systemd1";
constexpr const char* kManager = "org.freedesktop.systemd1.Manager";
constexpr auto kPatience = std::chrono::seconds(1);
constexpr std::size_t kUnderWay = 128;  // enough to hide the way there and back; a bus allows a sender so many

struct FreeMessage {
  void operator()(sd_bus_message* message) const { sd_bus_message_unref(message); }
};
using Message = std::unique_ptr<sd_bus_message, FreeMessage>;

/// A bus without systemd, as in a container, says so in these words.
bool says_absent(const sd_bus_error& error) {
  return sd_bus_error_has_names(&error, SD_BUS_ERROR_SERVICE_UNKNOWN, SD_BUS_ERROR_NAME_HAS_NO_OWNER,
                                "org.freedesktop.DBus.Error.Spawn.ChildExited") != 0;
}

bool is_absent(int error) { return error == ENOENT || error == ECONNREFUSED || error == ENOTDIR; }

bool is_hung_up(int error) { return error == ECONNRESET || error == ENOTCONN || error == EPIPE; }

int connect_to_system(sd_bus** bus) {
  int done = sd_bus_open_system(bus);
  if (done >= 0 || !is_absent(-done)) return done;
  done = sd_bus_new(bus);
  if (done >= 0) done = sd_bus_set_address(*bus, "unix:path=/run/systemd/private");
  if (done >= 0) done = sd_bus_start(*bus);
  if (done < 0) *bus = sd_bus_unref(*bus);
  return done;
}

/// What is asked of units whose name ends in `suffix`.
struct Property {
  std::string_view suffix;
  const char* interface;
  const char* name;
  char type;  ///< of D-Bus
  std::optional<std::uint64_t> Unit::*number;
  bool UnitWishes::*only_if = nullptr;
};
constexpr const char* kService = "org.freedesktop.systemd1.Service";
constexpr const char* kSocket = "org.freedesktop.systemd1.Socket";
constexpr auto kProperties = std::to_array<Property>({
    {".service", kService, "Type", 's', nullptr},
    {".mount", "org.freedesktop.systemd1.Mount", "Type", 's', nullptr},
    {"", "org.freedesktop.systemd1.Unit", "ActiveEnterTimestamp", 't', &Unit::started_us, &UnitWishes::start_times},
    {".service", kService, "NRestarts", 'u', &Unit::restarts, &UnitWishes::restarts},
    {".service", kService, "TasksCurrent", 't', &Unit::tasks, &UnitWishes::tasks},
    {".service", kService, "TasksMax", 't', &Unit::tasks_max, &UnitWishes::tasks},
    {".timer", "org.freedesktop.systemd1.Timer", "LastTriggerUSec", 't', &Unit::last_trigger_us},
    {".socket", kSocket, "NAccepted", 'u', &Unit::accepted_connections},
    {".socket", kSocket, "NConnections", 'u', &Unit::connections},
    {".socket", kSocket, "NRefused", 'u', &Unit::refused_connections},
});

/// One reading over one connection. What fails for the connection as a whole ends it; a unit that has gone meanwhile
/// just lacks what was asked of it.
class Reading {
 public:
  Reading(sd_bus* bus, const UnitWishes& wishes) : bus_(bus), wishes_(wishes) {}

  Result<std::optional<ServiceManager>> run() {
    if (int done = list_units(); done < 0) {
      if (absent_) return std::optional<ServiceManager>();
      return Error::from_errno("systemd: list of units", -done);
    }
    if (int done = ask_all(); done < 0) return Error::from_errno("systemd: properties of units", -done);
    return std::optional<ServiceManager>(std::move(manager_));
  }

 private:
  struct Question {
    Reading* reading;
    std::string path;
    const char* interface;
    const char* name;
    char type;
    std::string* text;
    std::optional<std::uint64_t>* number;
  };

  [[nodiscard]] microseconds left() const {
    return std::max(std::chrono::duration_cast<microseconds>(deadline_ - Clock::now()), microseconds(0));
  }

  int list_units() {
    sd_bus_error error{};
    sd_bus_message* received = nullptr;
    const int called = sd_bus_call_method(bus_, kName, kManagerPath, kManager, "ListUnits", &error, &received, "");
    absent_ = says_absent(error);
    sd_bus_error_free(&error);
    if (called < 0) return called;
    const Message reply(received);
    if (int done = sd_bus_message_enter_container(received, 'a', "(ssssssouso)"); done < 0) return done;
    for (;;) {
      const int more = take_unit(received);
      if (more <= 0) return more;
    }
  }

  /// 0 at the end of the list.
  int take_unit(sd_bus_message* reply) {
    const char* name = nullptr;
    const char* loaded = nullptr;
    const char* active = nullptr;
    const char* path = nullptr;
    const char* skipped = nullptr;
    std::uint32_t job = 0;
    const int got = sd_bus_message_read(reply, "(ssssssouso)", &name, &skipped, &loaded, &active, &skipped, &skipped,
                                        &path, &job, &skipped, &skipped);
    if (got <= 0) return got;
    ++manager_.counts[active];
    if (std::string_view(loaded) != "loaded" || !wishes_.wanted(name)) return 1;
    units_.push_back({name, active, "", {}, {}, {}, {}, {}, {}, {}, {}});
    for (const Property& property : kProperties)
      if (is_asked(property, units_.back()))
        questions_.push_back({this, path, property.interface, property.name, property.type, &units_.back().type,
                              property.number != nullptr ? &(units_.back().*property.number) : nullptr});
    return 1;
  }

  [[nodiscard]] bool is_asked(const Property& property, const Unit& unit) const {
    return unit.name.ends_with(property.suffix) && (property.only_if == nullptr || wishes_.*property.only_if);
  }

  int ask_all() {
    questions_.push_back({this, kManagerPath, kManager, "Version", 's', &manager_.version, nullptr});
    questions_.push_back({this, kManagerPath, kManager, "SystemState", 's', &manager_.state, nullptr});
    std::size_t next = 0;
    while (answered_ < questions_.size()) {
      while (next < questions_.size() && next - answered_ < kUnderWay)
        if (int done = ask(questions_[next++]); done < 0) return done;
      if (int done = process(); done < 0) return done;
    }
    manager_.units.assign(std::make_move_iterator(units_.begin()), std::make_move_iterator(units_.end()));
    return 0;
  }

  int ask(Question& question) {
    return sd_bus_call_method_async(bus_, nullptr, kName, question.path.c_str(), "org.freedesktop.DBus.Properties",
                                    "Get", take_answer, &question, "ss", question.interface, question.name);
  }

  int process() {
    const int done = sd_bus_process(bus_, nullptr);
    if (done != 0) return done;
    if (left() == microseconds(0)) return -ETIMEDOUT;
    return sd_bus_wait(bus_, static_cast<std::uint64_t>(left().count()));
  }

  static int take_answer(sd_bus_message* reply, void* context, sd_bus_error* /*error*/) {
    auto& question = *static_cast<Question*>(context);
    ++question.reading->answered_;
    const std::array<char, 2> type{question.type, '\0'};
    if (sd_bus_message_is_method_error(reply, nullptr) != 0) return 0;
    if (sd_bus_message_enter_container(reply, 'v', type.data()) <= 0) return 0;
    take_value(reply, question);
    return 0;
  }

  static void take_value(sd_bus_message* reply, Question& question) {
    const char* text = nullptr;
    std::uint32_t word = 0;
    std::uint64_t number = 0;
    if (question.type == 's' && sd_bus_message_read_basic(reply, 's', &text) > 0) *question.text = text;
    if (question.type == 'u' && sd_bus_message_read_basic(reply, 'u', &word) > 0) *question.number = word;
    if (question.type == 't' && sd_bus_message_read_basic(reply, 't', &number) > 0) *question.number = number;
  }

  sd_bus* bus_;
  const UnitWishes& wishes_;
  Clock::time_point deadline_ = Clock::now() + kPatience;
  ServiceManager manager_;
  std::deque<Unit> units_;  // which does not move those that answers are for
  std::deque<Question> questions_;
  std::size_t answered_ = 0;
  bool absent_ = false;
};

}  // namespace

void SystemdBus::Close::operator()(sd_bus* bus) const { sd_bus_close_unref(bus); }

SystemdBus::SystemdBus() : SystemdBus(connect_to_system) {}

SystemdBus::SystemdBus(Connect connect) : connect_(std::move(connect)) {}

Result<std::optional<ServiceManager>> SystemdBus::read(const UnitWishes& wishes) {
  const bool is_old = bus_ != nullptr;
  auto read = read_once(wishes);
  if (read) return read;
  bus_.reset();  // with answers that may still come, whose questions are gone
  // Whoever was at the other end has been restarted: that is no fault of now.
  return is_old && is_hung_up(read.error().code()) ? this->read(wishes) : read;
}

Result<std::optional<ServiceManager>> SystemdBus::read_once(const UnitWishes& wishes) {
  if (!bus_) {
    sd_bus* bus = nullptr;
    if (const int connected = connect_(&bus); connected < 0) {
      if (is_absent(-connected)) return std::optional<ServiceManager>();
      return Error::from_errno("systemd: connection", -connected);
    }
    bus_.reset(bus);
    sd_bus_set_method_call_timeout(bus, static_cast<std::uint64_t>(microseconds(kPatience).count()));
  }
  return Reading(bus_.get(), wishes).run();
}

}  // namespace connscope::host
