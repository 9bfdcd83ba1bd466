# store-bench: commits a second of the durable stores beside the disk's own fsync rate. Built on request.
add_executable(store-bench EXCLUDE_FROM_ALL ${CMAKE_SOURCE_DIR}/bench/store/commits.cc)
target_link_libraries(store-bench PRIVATE blixard_store_sqlite blixard_store_etcd)
