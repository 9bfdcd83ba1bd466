# blixard-bench: every figure the README claims, one command each. Built on request (ninja blixard-bench).
file(GLOB bench_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/bench/*.cc ${CMAKE_SOURCE_DIR}/bench/*/*.cc)
if(bench_sources)
    add_executable(blixard-bench ${bench_sources})
    target_link_libraries(blixard-bench PRIVATE blixard_scheduler)
    blixard_pch(blixard-bench)
endif()
