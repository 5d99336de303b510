// SPDX-License-Identifier: Apache-2.0
#include "agent/runtime/expose.h"

#include <spdlog/spdlog.h>

#include <csignal>
#include <memory>
#include <utility>

#include "agent/http/server.h"
#include "agent/runtime/event_loop.h"
#include "agent/runtime/filtered_series.h"
#include "agent/runtime/problem_log.h"
#include "agent/runtime/scrape.h"
#include "agent/runtime/snapshot_exchange.h"
#include "exporters/metrics_source.h"

namespace connscope::runtime {
namespace {

Result<std::unique_ptr<exporters::MetricsSource>> make_source(const config::Options& options) {
  // The agent's own file has sections that nobody reads here, so it is not taken unasked.
  auto document =
      options.config_file.empty() ? config::Document::parse("", "") : config::load_config(options.config_file);
  if (!document) return document.error();
  const config::ExposeOptions& given = options.commands.expose;
  auto source = exporters::make_metrics_source(document->root().table("expose"), given.redis, given.namespaces);
  if (auto legal = document->finish(); !legal) return legal.error();
  return source;
}

void collect(exporters::MetricsSource& source, SnapshotExchange& exchange, ProblemLog& problems) {
  const auto answers = exchange.begin();
  exchange.publish(source.read(), answers);
  problems.note("expose", source.problem(), Severity::kWarning);
}

}  // namespace

Status expose(const config::Options& options, const std::vector<exporters::Format>& formats,
              const std::string& version) {
  auto source = make_source(options);
  if (!source) return source.error();
  auto loop = EventLoop::create();
  if (!loop) return loop.error();
  // Before any thread is started, so that none of them takes the signals.
  if (auto watched = loop->watch_signals({SIGTERM, SIGINT}, [&loop](int) { loop->stop(); }); !watched) return watched;
  SnapshotExchange exchange;
  FilteredSeries filtered;
  ProblemLog problems;
  collect(**source, exchange, problems);
  const auto on_question = [&] { collect(**source, exchange, problems); };
  if (auto watched = loop->watch(exchange.wake_fd(), on_question); !watched) return watched;
  auto server = http::Server::start({options.listen_addresses, options.max_requests},
                                    make_routes(exchange, filtered, formats, options.telemetry_path, version));
  if (!server) return server.error();
  for (const auto& url : (*server)->urls()) spdlog::info("serving metrics on {}{}", url, options.telemetry_path);
  return loop->run();
}

}  // namespace connscope::runtime
