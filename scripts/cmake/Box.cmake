# SPDX-License-Identifier: Apache-2.0
# A box is one folder of the agent, built as one static library whose DEPS are the only boxes that it may include.
# scripts/check_includes.py holds the same rule against the sources.

add_library(connscope_options INTERFACE)
target_include_directories(connscope_options INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_options(connscope_options INTERFACE
  -Wall -Wextra -Wpedantic $<$<BOOL:${CONNSCOPE_WERROR}>:-Werror> -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-align -Woverloaded-virtual
  -Wconversion -Wsign-conversion -Wnull-dereference -Wformat=2 -Wimplicit-fallthrough)
# The fuzz preset has fuzzer-no-link among them: libFuzzer must learn which branches an input reaches in the boxes.
if(CONNSCOPE_SANITIZE)
  target_compile_options(connscope_options INTERFACE
    -fsanitize=${CONNSCOPE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(connscope_options INTERFACE -fsanitize=${CONNSCOPE_SANITIZE})
endif()

find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM)
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()

# connscope_box(NAME SOURCES file… [DEPS library…] [PRIVATE_DEPS library…])
function(connscope_box name)
  cmake_parse_arguments(box "" "" "SOURCES;DEPS;PRIVATE_DEPS" ${ARGN})
  add_library(connscope_${name} STATIC ${box_SOURCES})
  target_link_libraries(connscope_${name}
    PUBLIC connscope_options ${box_DEPS}
    PRIVATE ${box_PRIVATE_DEPS})
endfunction()

# A test's own code is compiled more often than it is run: without optimisation that takes less than half the time.
function(connscope_compile_quickly target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:RelWithDebInfo>:-O0>)
endfunction()

# Code that a running agent seldom comes by lies between what it needs at each scrape: small, it takes less memory with it.
function(connscope_prefer_small target)
  target_compile_options(${target} PRIVATE $<$<CONFIG:RelWithDebInfo>:-Os>)
endfunction()

# What scripts/check.sh builds of a preset that it needs no more of.
add_custom_target(unit_tests)
add_custom_target(tsan_tests)
add_custom_target(fuzz_targets)

# connscope_unit_test(NAME SOURCES file… DEPS library… [LABELS label…]): one GoogleTest program that needs no privilege.
# With the label tsan (for code that several threads run) it is also run under ThreadSanitizer.
function(connscope_unit_test name)
  cmake_parse_arguments(test "" "" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${test_SOURCES})
  target_link_libraries(${name} PRIVATE connscope_options ${test_DEPS} GTest::gmock GTest::gtest GTest::gtest_main)
  target_compile_definitions(${name} PRIVATE CONNSCOPE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  connscope_compile_quickly(${name})
  add_test(NAME ${name} COMMAND ${name})
  set_tests_properties(${name} PROPERTIES LABELS "unit;${test_LABELS}" TIMEOUT 300)
  add_dependencies(unit_tests ${name})
  if("tsan" IN_LIST test_LABELS)
    add_dependencies(tsan_tests ${name})
  endif()
endfunction()

# connscope_fuzz_target(NAME SOURCES file… DEPS library…): tests/fuzz/corpus/NAME is its committed corpus.
function(connscope_fuzz_target name)
  cmake_parse_arguments(fuzz "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${fuzz_SOURCES})
  target_link_libraries(${name} PRIVATE connscope_options ${fuzz_DEPS})
  target_compile_options(${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(${name} PRIVATE -fsanitize=fuzzer)
  add_dependencies(fuzz_targets ${name})
endfunction()
