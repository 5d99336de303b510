// SPDX-License-Identifier: Apache-2.0
#include "exporters/remote_write.h"

#include <snappy.h>

#include <chrono>
#include <climits>
#include <cstring>
#include <optional>
#include <string>
#include <utility>

#include "agent/config/message.h"
#include "exporters/disk_queue.h"
#include "exporters/http_sender.h"
#include "exporters/target_labels.h"

namespace connscope::exporters {
namespace {

/// A kept report is its compressed requests, with this before each.
struct PartHeader {
  std::uint32_t bytes;
  std::uint32_t samples;
};

struct Part {
  std::string_view request;
  std::uint32_t samples = 0;
};

void append_part(std::string_view request, std::uint32_t samples, std::string& out) {
  std::string compressed;
  snappy::Compress(request.data(), request.size(), &compressed);
  const PartHeader header{static_cast<std::uint32_t>(compressed.size()), samples};
  out.append(reinterpret_cast<const char*>(&header), sizeof(header)).append(compressed);
}

/// A report from the queue, and how far it is sent. After a restart it is sent anew from its first request.
class KeptReport {
 public:
  KeptReport(DiskQueue::Number number, std::string parts) : number_(number), parts_(std::move(parts)) {}

  [[nodiscard]] DiskQueue::Number number() const { return number_; }
  /// The next one to send; none at the end.
  [[nodiscard]] std::optional<Part> part() const {
    PartHeader header{};
    const std::string_view rest = std::string_view(parts_).substr(next_);
    if (rest.size() < sizeof(header)) return std::nullopt;
    std::memcpy(&header, rest.data(), sizeof(header));
    return Part{rest.substr(sizeof(header), header.bytes), header.samples};
  }
  void advance(const Part& sent) { next_ += sizeof(PartHeader) + sent.request.size(); }
  void note_refusal() { is_whole_ = false; }
  /// Whether the receiver has taken all parts.
  [[nodiscard]] bool is_whole() const { return is_whole_; }

 private:
  DiskQueue::Number number_;
  std::string parts_;
  std::size_t next_ = 0;
  bool is_whole_ = true;
};

/// Where the config wants the queue, and how large.
struct QueuePlace {
  std::string folder;
  std::uint64_t max_bytes;
};

class RemoteWrite final : public ReportExporter, private KeptReports {
 public:
  RemoteWrite(HttpSender sender, Selection selection, RemoteWriteForm form, QueuePlace place)
      : sender_(std::move(sender)),
        selection_(std::move(selection)),
        form_(std::move(form)),
        place_(std::move(place)) {}

  /// Keeps it. The stop's snapshot is often the last period's.
  Sent send(const metrics::Report& report) override {
    Sent sent;
    if (before_ && before_->taken_at == report.snapshot->taken_at) return sent;
    auto dropped = keep(*report.snapshot);
    if (!dropped) {
      sent.status = dropped.error();
      sent.dropped = 1;
      return sent;
    }
    sent.dropped = *dropped;
    before_ = report.snapshot;
    return sent;
  }

  [[nodiscard]] KeptReports* kept() override { return this; }

  void take_over(ReportExporter& previous) override {
    auto* other = dynamic_cast<RemoteWrite*>(&previous);
    if (other == nullptr || other->place_.folder != place_.folder) return;
    queue_ = std::move(other->queue_);
    other->queue_.reset();
    if (queue_) queue_->set_max_bytes(place_.max_bytes);
    before_ = std::move(other->before_);
    head_ = std::move(other->head_);
  }

 private:
  [[nodiscard]] std::uint64_t size() const override { return queue_ ? queue_->size() : 0; }

  Result<std::uint64_t> keep(const metrics::Snapshot& snapshot) {
    if (auto opened = open_queue(); !opened) return opened.error();
    entry_.clear();
    encode_remote_write(
        before_.get(), snapshot, selection_, form_,
        [this](std::string_view request, std::uint32_t samples) { append_part(request, samples, entry_); });
    if (entry_.empty()) return std::uint64_t{0};
    return queue_->push(entry_);
  }

  Status open_queue() {
    if (queue_) return {};
    auto opened = DiskQueue::open(place_.folder, place_.max_bytes);
    if (!opened) return opened.error();
    queue_.emplace(std::move(*opened));
    return {};
  }

  Sent forward() override {
    Sent failed;
    if (!load_head(failed)) return failed;
    const auto part = head_->part();
    Sent sent = sender_.send({"POST", "", request_headers(), part->request});
    if (sent.retry_after) return sent;
    if (!sent.status) {
      sent.refused = part->samples;
      head_->note_refusal();
    }
    head_->advance(*part);
    if (head_->part()) return sent;
    sent.finished = head_->is_whole() ? 1 : 0;
    queue_->remove(head_->number());
    head_.reset();
    return sent;
  }

  /// The oldest that there is, since the one before may have had to make room.
  bool load_head(Sent& failed) {
    const DiskQueue::Number oldest = *queue_->oldest();
    if (head_ && head_->number() == oldest) return true;
    head_.reset();
    auto parts = queue_->read(oldest);
    if (!parts) {
      failed.status = parts.error();
      failed.retry_after = std::chrono::milliseconds(0);
      return false;
    }
    if (*parts) head_.emplace(oldest, std::move(**parts));
    if (head_ && head_->part()) return true;
    head_.reset();
    queue_->remove(oldest);
    failed.status = Error(queue_->folder() + ": a report is damaged, and left out");
    failed.dropped = 1;
    return false;
  }

  static std::vector<std::string> request_headers() {
    return {"Content-Type: application/x-protobuf", "Content-Encoding: snappy",
            "X-Prometheus-Remote-Write-Version: 0.1.0", "User-Agent: connscope"};
  }

  HttpSender sender_;
  Selection selection_;
  RemoteWriteForm form_;
  QueuePlace place_;
  std::optional<DiskQueue> queue_;  // once there was something to keep
  std::optional<KeptReport> head_;
  metrics::SnapshotPtr before_;
  std::string entry_;  // kept for its room
};

/// A folder for each receiver, since a queue has one reader.
QueuePlace parse_queue(const config::Section& section, const std::string& url) {
  const std::string parent = section.text("queue", "/var/lib/connscope/remote_write");
  if (parent.empty() || parent.front() != '/')
    section.fail("queue", config::in_quotes(parent) + " is no absolute path; allowed: a folder");
  const std::string name = percent_encoded(url);
  if (name.size() > NAME_MAX) section.fail("url", "is too long for the name of a folder; allowed: a shorter one");
  const std::int64_t mebibytes = section.integer("queue_mebibytes", 256, 1, 1 << 20);
  return {parent + "/" + name, static_cast<std::uint64_t>(mebibytes) << 20U};
}

RemoteWriteForm parse_form(const config::Section& section) {
  RemoteWriteForm form;
  form.external_labels = parse_external_labels(section);
  const std::string histograms = section.one_of("histograms", "classic", {"classic", "native", "both"});
  form.classic_histograms = histograms != "native";
  form.native_histograms = histograms != "classic";
  form.exemplars = section.flag("exemplars", false);
  return form;
}

}  // namespace

std::unique_ptr<ReportExporter> make_remote_write_exporter(const config::Section& section,
                                                           const ExporterServices& /*services*/) {
  HttpTarget target = HttpTarget::parse(section, "http://127.0.0.1:9090/api/v1/write");
  QueuePlace place = parse_queue(section, target.url);
  Selection selection{{}, section.texts("names")};
  return std::make_unique<RemoteWrite>(HttpSender(std::move(target)), std::move(selection), parse_form(section),
                                       std::move(place));
}

}  // namespace connscope::exporters
