# The product: the command line, and the daemon that it becomes for `blixard daemon`.
execute_process(COMMAND git -C ${CMAKE_SOURCE_DIR} rev-parse --short=12 HEAD OUTPUT_VARIABLE BLIXARD_COMMIT
                OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
if(NOT BLIXARD_COMMIT)
    set(BLIXARD_COMMIT unknown)
endif()
file(GLOB daemon_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/daemon/*.cc)
list(FILTER daemon_sources EXCLUDE REGEX "(_test|main)\\.cc$")
add_library(blixard_daemon STATIC ${daemon_sources})
set_source_files_properties(${CMAKE_SOURCE_DIR}/src/daemon/daemon.cc PROPERTIES COMPILE_DEFINITIONS
                            "BLIXARD_COMMIT=\"${BLIXARD_COMMIT}\"")
target_link_libraries(blixard_daemon PUBLIC blixard_recorder blixard_agent blixard_controller blixard_api blixard_api_http
                      blixard_images blixard_hypervisor_qemu blixard_store_sqlite blixard_store_etcd
                      blixard_cluster)
blixard_pch(blixard_daemon)
add_executable(blixard-daemon ${CMAKE_SOURCE_DIR}/src/daemon/daemon_main.cc)
target_link_libraries(blixard-daemon PRIVATE blixard_daemon)
blixard_pch(blixard-daemon)
add_executable(blixard ${CMAKE_SOURCE_DIR}/src/daemon/main.cc)
target_link_libraries(blixard PRIVATE blixard_cli blixard_sim blixard_hypervisor_qemu)
add_dependencies(blixard blixard-daemon)
blixard_pch(blixard)
file(GLOB daemon_tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/src/daemon/*_test.cc)
add_executable(test_daemon ${daemon_tests})
target_link_libraries(test_daemon PRIVATE blixard_daemon gtest gtest_main gmock rapidcheck)
blixard_pch(test_daemon)
