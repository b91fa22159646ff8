# build-and-run.cmake - configures SAMPLE afresh against PREFIX, builds it in
# FOLDER with warnings as errors, and runs the program NAME there.
function(run)
  execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${FOLDER} RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "status ${status} from: ${ARGN}")
  endif()
endfunction()

file(REMOVE_RECURSE ${FOLDER})
file(MAKE_DIRECTORY ${FOLDER})
run(${CMAKE_COMMAND} -S ${SAMPLE} -B ${FOLDER} -G Ninja -DCMAKE_PREFIX_PATH=${PREFIX}
  -DCMAKE_C_COMPILER=${C_COMPILER} -DCMAKE_CXX_COMPILER=${CXX_COMPILER}
  "-DCMAKE_C_FLAGS=-Wall -Wextra -Wpedantic -Werror" "-DCMAKE_CXX_FLAGS=-Wall -Wextra -Wpedantic -Werror")
run(${CMAKE_COMMAND} --build ${FOLDER})
# A second build has nothing to do: the pack's dependencies are complete and no
# more than that.
execute_process(COMMAND ${CMAKE_COMMAND} --build ${FOLDER} OUTPUT_VARIABLE again)
if(NOT again MATCHES "no work to do")
  message(FATAL_ERROR "a second build of an unchanged sample did something:\n${again}")
endif()
run(./${NAME})
