# The tests use what a user would: the installed package, moved away from where it was installed to.

set(stage "${CMAKE_CURRENT_BINARY_DIR}/stage")
set(moved "${CMAKE_CURRENT_BINARY_DIR}/moved")
set(H5R_TEST_OPTIONS "" CACHE STRING "options for configuring tests/ and c_examples/")

add_test(NAME install COMMAND ${CMAKE_COMMAND}
    -D "build=${CMAKE_CURRENT_BINARY_DIR}" -D "stage=${stage}" -D "moved=${moved}" -D "profile=${H5R_PROFILE}"
    -P "${CMAKE_CURRENT_SOURCE_DIR}/cmake/stage.cmake")
set_tests_properties(install PROPERTIES FIXTURES_SETUP package)

function(add_package_test name source)
    add_test(NAME ${name} COMMAND ${CMAKE_CTEST_COMMAND}
        --build-and-test "${source}" "${CMAKE_CURRENT_BINARY_DIR}/${name}"
        --build-noclean --build-generator "${CMAKE_GENERATOR}" --build-makeprogram "${CMAKE_MAKE_PROGRAM}"
        --build-options "-DCMAKE_PREFIX_PATH=${moved}" -DCMAKE_BUILD_TYPE=RelWithDebInfo ${ARGN} ${H5R_TEST_OPTIONS}
        --test-command "${CMAKE_CTEST_COMMAND}" --output-on-failure)
    set_tests_properties(${name} PROPERTIES FIXTURES_REQUIRED package)
endfunction()

add_package_test(package_tests "${CMAKE_CURRENT_SOURCE_DIR}/tests")
add_package_test(package_tests_sanitized "${CMAKE_CURRENT_SOURCE_DIR}/tests" -DH5R_SANITIZE=address,undefined)
add_package_test(package_examples "${CMAKE_CURRENT_SOURCE_DIR}/c_examples")

find_program(PKG_CONFIG pkg-config)
if(PKG_CONFIG)
    add_test(NAME pkg_config COMMAND sh -c
        "\"$1\" $(\"$2\" --cflags h5r) \"$3\" -o pkg_config_test $(\"$2\" --libs h5r) && ./pkg_config_test" sh
        "${CMAKE_C_COMPILER}" "${PKG_CONFIG}" "${CMAKE_CURRENT_SOURCE_DIR}/tests/c/version.c")
    set_tests_properties(pkg_config PROPERTIES FIXTURES_REQUIRED package ENVIRONMENT
        "PKG_CONFIG_PATH=${moved}/${CMAKE_INSTALL_LIBDIR}/pkgconfig;LD_LIBRARY_PATH=${moved}/${CMAKE_INSTALL_LIBDIR}")
endif()
