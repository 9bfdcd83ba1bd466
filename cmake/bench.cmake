# blixard-bench: every figure the README claims, one command each. Built on request (ninja blixard-bench).
file(GLOB bench_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/*.cc ${CMAKE_SOURCE_DIR}/bench/trace/*.cc ${CMAKE_SOURCE_DIR}/bench/api/*.cc
     ${CMAKE_SOURCE_DIR}/bench/control/*.cc ${CMAKE_SOURCE_DIR}/bench/micro/*.cc)
add_executable(blixard-bench EXCLUDE_FROM_ALL ${bench_sources})
target_link_libraries(blixard-bench PRIVATE blixard_scheduler blixard_api_http blixard_hypervisor_qemu
                      blixard_controller blixard_agent blixard_hypervisor_fake blixard_store_etcd blixard_store_memory blixard_store_sqlite
                      blixard_os benchmark)
blixard_pch(blixard-bench)
