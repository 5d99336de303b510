// SPDX-License-Identifier: Apache-2.0
//
// processes: how many there are, and in which states. Source: /proc/PID/stat (proc_pid_stat(5)), whose second field is
// a name in brackets that may have anything in it.
#include <map>

#include "agent/host/collector.h"
#include "agent/host/text.h"

namespace connscope::host::collectors::processes {
namespace {

class Processes final : public Collector {
 public:
  Processes()
      : Collector("processes"),
        table_(add_table({}, {{"node_processes_threads", "Threads of all processes."},
                              {"node_processes_max_threads", "How many there may be."},
                              {"node_processes_pids", "Processes."},
                              {"node_processes_max_processes", "How many ids there are for them and their threads."}})),
        states_(add_table({"state"}, {{"node_processes_state", "Processes by their state."}})),
        thread_states_(add_table({"thread_state"}, {{"node_processes_threads_state", "Threads by their state."}})) {}

 private:
  using States = std::map<char, std::uint64_t>;

  Status read(Kernel& kernel) override {
    const Listing entries = kernel.list(Root::kProc, {""});
    if (entries.error != 0) return absent_or_error({{}, entries.error}, "proc");
    States processes;
    States threads;
    std::uint64_t process_count = 0;
    std::uint64_t thread_count = 0;
    for (const std::string& pid : entries.names) {
      if (!to_number(pid)) continue;
      const auto own = state_of(kernel.read(Root::kProc, {pid, "/stat"}));
      if (own == '\0') continue;  // it has ended meanwhile
      ++process_count;
      ++processes[own];
      for (const std::string& tid : kernel.list(Root::kProc, {pid, "/task"}).names) {
        // The state of the first thread is the process's.
        const char state = tid == pid ? own : state_of(kernel.read(Root::kProc, {pid, "/task/", tid, "/stat"}));
        if (state == '\0') continue;
        ++thread_count;
        ++threads[state];
      }
    }
    show(states_, processes);
    show(thread_states_, threads);
    table_.row({});
    table_.set(0, thread_count);
    table_.set(2, process_count);
    if (const auto limit = kernel.number(Root::kProc, {"sys/kernel/threads-max"})) table_.set(1, *limit);
    if (const auto limit = kernel.number(Root::kProc, {"sys/kernel/pid_max"})) table_.set(3, *limit);
    return {};
  }

  /// '\0' when there is none.
  static char state_of(const Content& stat) {
    const std::size_t name_end = stat.text.rfind(')');
    if (name_end == std::string_view::npos) return '\0';
    const std::string_view state = Fields<1>(stat.text.substr(name_end + 1))[0];
    return state.size() == 1 ? state[0] : '\0';
  }

  static void show(Table& table, const States& states) {
    for (const auto& [state, count] : states) {
      table.row({std::string_view(&state, 1)});
      table.set(0, count);
    }
  }

  Table& table_;
  Table& states_;
  Table& thread_states_;
};

}  // namespace

extern const CollectorType kType{"processes", false, make_plain<Processes>};

}  // namespace connscope::host::collectors::processes
