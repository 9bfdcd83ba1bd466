# recorder-bench: what the flight recorder costs. Built on request (ninja recorder-bench).
add_executable(recorder-bench EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/recorder/main.cc)
target_link_libraries(recorder-bench PRIVATE blixard_recorder blixard_os)
blixard_pch(recorder-bench)
