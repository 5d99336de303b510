// SPDX-License-Identifier: Apache-2.0
//
// libcurl is opened when an exporter first sends by it, rather than linked: it brings some thirty other
// libraries (TLS, Kerberos, LDAP, …), which take 2 MiB of every agent, most of which have nobody to send to
// (agent/decisions/0047). Its functions are called by their own names; curl_on_demand.cpp has those that are.
// Any thread.
#pragma once

#include "agent/base/result.h"

namespace connscope::exporters {

/// Opens it, unless it is open.
Status open_curl();

}  // namespace connscope::exporters
