// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/ingest_metrics.h"

#include "agent/metrics/registrar.h"

namespace connscope::ingest {
Result<IngestMetrics> IngestMetrics::create(metrics::Registry& registry) {
  IngestMetrics made;
  metrics::Registrar maker(registry);
  const auto by_transport = [&]<class S>(S*& unix_socket, S*& udp, const char* name, const char* help) {
    maker.add_series(unix_socket, name, help, {"transport"}, {"unix"});
    maker.add_series(udp, name, help, {"transport"}, {"udp"});
  };
  by_transport(made.up_unix_, made.up_udp_, "connscope_ingest_up", "1: metrics of applications are received there.");
  by_transport(made.packets_.unix_socket, made.packets_.udp, "connscope_ingest_packets",
               "Packets of applications that were read.");
  by_transport(made.dropped_.unix_socket, made.dropped_.udp, "connscope_ingest_dropped_packets",
               "Packets that the kernel dropped, since the socket's queue was full.");
  maker.add_series(made.packets_unknown_, "connscope_ingest_unknown_sender_packets",
                   "Packets whose sender had ended, or could not be found out for another reason.");
  maker.add_series(made.lines_, "connscope_ingest_lines", "Lines of applications that were read, refused ones too.");
  for (std::size_t i = 0; i < kRefusals; ++i)
    maker.add_series(made.refused_[i], "connscope_ingest_refused_lines", "Lines of applications that were not taken.",
                     {"reason"}, {to_string(static_cast<Refusal>(i))});
  maker.add_series(made.series_, "connscope_ingest_series", "Series of applications that are held.");
  maker.add_series(made.senders_, "connscope_ingest_senders", "Kinds of processes that have series.");
  return maker.outcome() ? Result<IngestMetrics>(made) : Result<IngestMetrics>(maker.outcome().error());
}

void IngestMetrics::show_up(bool unix_socket, bool udp) {
  up_unix_->set(std::uint64_t{unix_socket ? 1U : 0U});
  up_udp_->set(std::uint64_t{udp ? 1U : 0U});
}

void IngestMetrics::show(const Taken& taken, std::size_t series) {
  packets_.unix_socket->add(taken.packets_unix);
  packets_.udp->add(taken.packets_udp);
  packets_unknown_->add(taken.packets_unknown);
  lines_->add(taken.lines);
  for (std::size_t i = 0; i < kRefusals; ++i) refused_[i]->add(taken.refused[i]);
  series_->set(std::uint64_t{series});
  senders_->set(std::uint64_t{taken.senders});
}

void IngestMetrics::show_dropped(std::uint64_t unix_socket, std::uint64_t udp) {
  dropped_.unix_socket->follow(unix_socket);
  dropped_.udp->follow(udp);
}

}  // namespace connscope::ingest
