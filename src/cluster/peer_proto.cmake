# The stubs of peer.proto, once, in a library of their own: nothing but peer_*.cc includes them.
find_package(Protobuf REQUIRED)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)
set(peer_proto_dir ${CMAKE_BINARY_DIR}/proto/cluster)
file(MAKE_DIRECTORY ${peer_proto_dir})
add_custom_command(
    OUTPUT ${peer_proto_dir}/peer.pb.cc ${peer_proto_dir}/peer.pb.h
           ${peer_proto_dir}/peer.grpc.pb.cc ${peer_proto_dir}/peer.grpc.pb.h
    COMMAND protoc --proto_path=${CMAKE_SOURCE_DIR}/src/cluster --cpp_out=${peer_proto_dir}
            --grpc_out=${peer_proto_dir} --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN} peer.proto
    DEPENDS ${CMAKE_SOURCE_DIR}/src/cluster/peer.proto
    VERBATIM)
add_library(blixard_peer_proto STATIC ${peer_proto_dir}/peer.pb.cc ${peer_proto_dir}/peer.grpc.pb.cc)
target_include_directories(blixard_peer_proto SYSTEM PUBLIC ${CMAKE_BINARY_DIR})
target_link_libraries(blixard_peer_proto PUBLIC grpc++ grpc gpr absl_synchronization protobuf)
target_compile_options(blixard_peer_proto PRIVATE -w -O1)
