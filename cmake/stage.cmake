# Installs the build in `build` into `stage`, and moves that to `moved`: nothing installed may know where it was.
file(REMOVE_RECURSE "${stage}" "${moved}")
execute_process(COMMAND ${CMAKE_COMMAND} --install "${build}" --prefix "${stage}" RESULT_VARIABLE failed)
if(failed)
    message(FATAL_ERROR "installing failed")
endif()
file(RENAME "${stage}" "${moved}")
