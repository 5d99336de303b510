// SPDX-License-Identifier: Apache-2.0
#include "agent/ingest/ingest.h"

#include <chrono>
#include <utility>

namespace connscope::ingest {
namespace {

constexpr std::chrono::minutes kBetweenMessages{1};

std::string sender_text(const Sender& sender) {
  switch (sender.origin) {
    case Sender::Origin::kProcess:
      return "process " + std::to_string(sender.pid) + " (" + sender.attributes.comm + ")";
    case Sender::Origin::kGone:
      return "process " + std::to_string(sender.pid) + ", which has ended";
    case Sender::Origin::kUdp:
      return "UDP";
    case Sender::Origin::kUnknown:
      break;
  }
  return "a process that is not known";
}

std::string complaint_text(Refusal reason, std::uint64_t lines, const Example& example) {
  std::string text = "ingest: " + std::to_string(lines) + " lines refused (" + to_string(reason) + ")";
  if (!example.line.empty()) text += ", such as \"" + example.line + "\"";
  if (example.sender) text += " of " + sender_text(*example.sender);
  return example.detail.empty() ? text : text + ": " + example.detail;
}

}  // namespace

Ingest::Ingest(Settings settings, metrics::Registry& registry, identity::IdentityTable& identities, IngestMetrics shown)
    : settings_(std::move(settings)),
      identities_(identities),
      shown_(shown),
      merger_(registry, identities, settings_.limits),
      intake_(settings_.limits) {}

Result<std::unique_ptr<Ingest>> Ingest::create(const config::Section& section, metrics::Registry& registry,
                                               identity::IdentityTable& identities) {
  Settings settings = Settings::parse(section);
  auto shown = IngestMetrics::create(registry);
  if (!shown) return shown.error();
  return std::unique_ptr<Ingest>(new Ingest(std::move(settings), registry, identities, *shown));
}

Status Ingest::start() {
  if (!settings_.enabled) return {};
  auto unix_socket = UnixSocket::bind(settings_.path, settings_.mode);
  if (!unix_socket) return unix_socket.error().context("ingest");
  auto udp = settings_.udp ? bind_udp(settings_.udp_address) : Result<UniqueFd>(UniqueFd());
  if (!udp) return udp.error().context("ingest");
  follow_rules();
  Senders senders("/proc", [this](std::uint32_t pid) { return identities_.program_of(pid); });
  auto receiver = Receiver::start({std::move(*unix_socket), std::move(*udp)}, intake_, std::move(senders));
  if (!receiver) return receiver.error().context("ingest");
  receiver_ = std::move(*receiver);
  shown_.show_up(true, settings_.udp);
  return {};
}

void Ingest::follow_rules() { intake_.set_rules(identities_.wishes(), identities_.generation()); }

void Ingest::finish() {
  if (receiver_) receiver_->finish();
}

void Ingest::collect(Time now) {
  if (!receiver_) return;
  Taken taken = intake_.take(now);
  merger_.apply(taken, now);
  shown_.show(taken, merger_.series());
  shown_.show_dropped(receiver_->dropped_unix(), receiver_->dropped_udp());
  complain(taken, now);
}

void Ingest::complain(const Taken& taken, Time now) {
  for (std::size_t i = 0; i < kRefusals; ++i) {
    Complaint& complaint = complaints_[i];
    complaint.lines += taken.refused[i];
    const bool told_lately = complaint.told != Time{} && now - complaint.told < kBetweenMessages;
    if (taken.refused[i] == 0 || told_lately) continue;
    messages_.push_back(complaint_text(static_cast<Refusal>(i), complaint.lines, taken.examples[i]));
    complaint = {0, now};
  }
}

void Ingest::check_reload(const config::Section& section) const {
  if (!(Settings::parse(section) == settings_))
    section.fail("enabled", "this section cannot change while the agent runs; restart it");
}

}  // namespace connscope::ingest
