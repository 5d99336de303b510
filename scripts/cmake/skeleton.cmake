# SPDX-License-Identifier: Apache-2.0
# bpftool prints a skeleton to stdout: cmake -DBPFTOOL=… -DOBJECT=… -DNAME=… -DOUTPUT=… -P skeleton.cmake
execute_process(
  COMMAND ${BPFTOOL} gen skeleton ${OBJECT} name ${NAME}
  OUTPUT_FILE ${OUTPUT}
  RESULT_VARIABLE result
  ERROR_VARIABLE message)
if(NOT result EQUAL 0)
  file(REMOVE ${OUTPUT})
  message(FATAL_ERROR "bpftool gen skeleton ${OBJECT}: ${message}")
endif()

# The object's bytes are read at the start alone: in a section of their own, they do not lie between constants that are in use.
file(READ ${OUTPUT} text)
string(REPLACE "return (const void *)\"\\\n"
  "static const char object[] __attribute__((section(\".bpf_objects\"), aligned(8))) = \"\\\n" text "${text}")
string(REPLACE "\";\n}\n\n#ifdef __cplusplus\nstruct" "\";\n\treturn object;\n}\n\n#ifdef __cplusplus\nstruct" text "${text}")
file(WRITE ${OUTPUT} "${text}")
