# SPDX-License-Identifier: Apache-2.0
# Everything that is not ours, by Debian's names for it; scripts/setup.sh installs it.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(tomlplusplus REQUIRED)
find_package(nlohmann_json 3.10 REQUIRED)
find_package(zydis 4 REQUIRED)
pkg_check_modules(LIBBPF REQUIRED IMPORTED_TARGET libbpf>=1.0)
pkg_check_modules(LIBPSL REQUIRED IMPORTED_TARGET libpsl)
pkg_check_modules(RE2 REQUIRED IMPORTED_TARGET re2)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash)
pkg_check_modules(LIBDEFLATE REQUIRED IMPORTED_TARGET libdeflate)
pkg_check_modules(LIBSYSTEMD REQUIRED IMPORTED_TARGET libsystemd)

find_path(CIVETWEB_INCLUDE_DIR civetweb.h REQUIRED)
find_library(CIVETWEB_LIBRARY civetweb REQUIRED)
add_library(civetweb INTERFACE)
target_include_directories(civetweb SYSTEM INTERFACE ${CIVETWEB_INCLUDE_DIR})
target_link_libraries(civetweb INTERFACE ${CIVETWEB_LIBRARY})

# What single exporters need; without those it may lack.
if(CONNSCOPE_INFLUXDB OR CONNSCOPE_OTLP OR CONNSCOPE_PUSHGATEWAY OR CONNSCOPE_REDIS OR CONNSCOPE_REMOTE_WRITE)
  pkg_check_modules(LIBCURL REQUIRED IMPORTED_TARGET libcurl>=7.66)
  # Its headers alone: exporters/curl_on_demand.cpp opens it where it is needed.
  set_target_properties(PkgConfig::LIBCURL PROPERTIES INTERFACE_LINK_LIBRARIES "${CMAKE_DL_LIBS}")
endif()

if(CONNSCOPE_REDIS)
  pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis>=0.14)
endif()
if(CONNSCOPE_REMOTE_WRITE)
  pkg_check_modules(SNAPPY REQUIRED IMPORTED_TARGET snappy)
endif()
if(CONNSCOPE_OTLP OR CONNSCOPE_PROMETHEUS_PROTOBUF OR CONNSCOPE_REMOTE_WRITE)
  find_path(PROTOZERO_INCLUDE_DIR protozero/version.hpp REQUIRED)  # headers alone, in the system's folder
endif()

if(CONNSCOPE_TESTS)
  find_package(GTest REQUIRED)
  find_package(ZLIB REQUIRED)
  find_package(benchmark REQUIRED)
endif()
