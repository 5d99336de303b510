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
