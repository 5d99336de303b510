// SPDX-License-Identifier: Apache-2.0
#include "bpf/tls/certificate.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "agent/probe/bpf_object.h"
#include "agent/probe/library_hooks.h"
#include "agent/probe/library_uprobes.h"
#include "agent/probe/probe.h"
#include "agent/probe/ring_reader.h"
#include "bpf/owners/owners.h"
#include "bpf/tls/certificate.skel.h"
#include "bpf/tls/certificate_cells.h"

namespace connscope::bpf {
namespace {

struct Settings {
  probe::LibrarySettings libraries;
  std::uint32_t certificates = 0;
  std::size_t issuers = 0;

  static Settings parse(config::Section section) {
    Settings settings;
    settings.libraries = probe::LibrarySettings::parse(section);
    settings.certificates = static_cast<std::uint32_t>(section.integer("certificates", 1024, 8, 1 << 20));
    settings.issuers = static_cast<std::size_t>(section.integer("issuers", 20, 1, 1000));
    return settings;
  }
};

/// libcrypto.so.3, libcrypto.so.1.1, and libcrypto-0a1b2c3d.so.3 as packages of Python bring their own.
bool is_libcrypto(std::string_view name) {
  return name.starts_with("libcrypto.so.") ||
         (name.starts_with("libcrypto-") && name.find(".so.") != std::string_view::npos);
}

int learn(void* cells, void* data, std::size_t size) {
  certificate_record record{};
  if (size != sizeof(record)) return 0;
  std::memcpy(&record, data, size);
  static_cast<CertificateCells*>(cells)->learn(record);
  return 0;
}

std::vector<probe::LibraryProgram> programs() { return {{"on_certificate", probe::HangAt::kCheapEntry, {"d2i_X509"}}}; }

class Certificates final : public probe::Probe {
 public:
  Certificates(const probe::ProbeContext& context, const Settings& settings, const CertificateCells::Families& families)
      : settings_(settings),
        owners_(context.identities),
        cells_(families, owners_, settings.issuers),
        libraries_(context.libraries, is_libcrypto, settings.libraries) {}

  [[nodiscard]] std::string_view name() const override { return "certificates"; }
  Status start(const probe::SharedMaps& shared) override;
  void check_reload(config::Section section) const override;
  void stop() override;
  Status collect(Clock::time_point now) override;
  void retire(const std::vector<std::uint64_t>& identities) override { cells_.retire(object_, identities); }
  [[nodiscard]] probe::ProbeReport report() const override;

 private:
  void configure(certificate_bpf& skeleton);
  Status load(const probe::SharedMaps& shared);
  Status take_from_wire(const probe::SharedMaps& shared);

  Settings settings_;
  Owners owners_;
  CertificateCells cells_;
  probe::BpfObject object_;
  probe::LibraryHooks libraries_;  // its links go before the programs
  probe::RingReader news_;
  int wire_ = -1;  // map of the probe `tls`, which outlives our programs
  bool up_ = false;
};

void Certificates::configure(certificate_bpf& skeleton) {
  libraries_.prepare(skeleton.obj, programs());
  bpf_map__set_max_entries(skeleton.maps.certificates, settings_.certificates);
}

Status Certificates::load(const probe::SharedMaps& shared) {
  if (shared.count("tls_sessions") == 0) return Error("it needs the probe tls, which is off");
  const auto configure = [this](certificate_bpf& skeleton) { this->configure(skeleton); };
  auto object = probe::BpfObject::load(probe::BpfObject::opener<certificate_bpf>(configure), shared, {});
  if (!object) return object.error();
  object_ = std::move(*object);
  auto news = probe::RingReader::open(object_.map_fd("certificate_news"), learn, &cells_);
  if (!news) return news.error().context("certificate_news");
  news_ = std::move(*news);
  return {};
}

/// Has the program of the wire hand packets with a certificate over.
Status Certificates::take_from_wire(const probe::SharedMaps& shared) {
  wire_ = shared.at("tls_plain_certificate");
  return object_.attach_by("on_plain_certificate", [this](int program) -> Status {
    const std::uint32_t first = 0;
    if (bpf_map_update_elem(wire_, &first, &program, BPF_ANY) != 0)
      return Error::from_errno("tls_plain_certificate", errno);
    return {};
  });
}

Status Certificates::start(const probe::SharedMaps& shared) {
  if (auto loaded = load(shared); !loaded) return loaded;
  if (auto taken = take_from_wire(shared); !taken) return taken;
  if (auto started = libraries_.start(object_, programs()); !started) return started;
  up_ = true;
  return {};
}

void Certificates::check_reload(config::Section section) const {
  const Settings wanted = Settings::parse(section);
  const char* restart = "cannot change while the agent runs; restart it";
  settings_.libraries.check_reload(wanted.libraries, section);
  if (wanted.certificates != settings_.certificates) section.fail("certificates", restart);
  if (wanted.issuers != settings_.issuers) section.fail("issuers", restart);
}

void Certificates::stop() {
  const std::uint32_t first = 0;
  if (wire_ >= 0) bpf_map_delete_elem(wire_, &first);
  libraries_.stop();
  up_ = false;
}

Status Certificates::collect(Clock::time_point now) {
  if (news_.fd() < 0) return {};  // never started
  const auto time = std::chrono::system_clock::now().time_since_epoch();
  if (auto read = cells_.read(object_); !read) return read;
  if (auto told = news_.consume(); !told) return told.error().context("certificate_news");
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time).count();
  if (auto shown = cells_.show(object_, seconds, now); !shown) return shown;
  const auto looked = libraries_.look_when_due();
  return looked ? Status() : looked.error();
}

probe::ProbeReport Certificates::report() const {
  if (news_.fd() < 0) return {};
  probe::ProbeReport report{up_, object_.hooks(), object_.program_stats(), {}, object_.lost()};
  // That nobody uses the library just now is no problem.
  for (probe::HookStatus& hook : report.hooks) hook.problem.clear();
  report.maps = {{"certificates", cells_.entries(), object_.max_entries("certificates")}};
  libraries_.describe(report);
  return report;
}

}  // namespace

Result<std::unique_ptr<probe::Probe>> make_certificates(const probe::ProbeContext& context, config::Section section) {
  const Settings settings = Settings::parse(section);
  auto families = CertificateCells::create_families(context.registry);
  if (!families) return families.error();
  return std::unique_ptr<probe::Probe>(std::make_unique<Certificates>(context, settings, *families));
}

}  // namespace connscope::bpf
