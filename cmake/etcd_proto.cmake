# etcd's gRPC v3 API as a library, from the .proto files of Debian's golang-etcd-server-dev (they build unpatched).
# Generated code: no warnings, little optimisation; it compiles once.
set(ETCD_GO_PATH /usr/share/gocode/src CACHE PATH "where Debian's golang-*-dev packages keep their sources")
set(etcd_imports
    ${ETCD_GO_PATH}/go.etcd.io
    ${ETCD_GO_PATH}/github.com/gogo/protobuf
    ${ETCD_GO_PATH}/github.com/grpc-ecosystem/grpc-gateway/third_party/googleapis)
set(etcd_protos
    ${ETCD_GO_PATH}/go.etcd.io/etcd/etcdserver/etcdserverpb/rpc.proto
    ${ETCD_GO_PATH}/go.etcd.io/etcd/mvcc/mvccpb/kv.proto
    ${ETCD_GO_PATH}/go.etcd.io/etcd/auth/authpb/auth.proto
    ${ETCD_GO_PATH}/github.com/gogo/protobuf/gogoproto/gogo.proto
    ${ETCD_GO_PATH}/github.com/grpc-ecosystem/grpc-gateway/third_party/googleapis/google/api/annotations.proto
    ${ETCD_GO_PATH}/github.com/grpc-ecosystem/grpc-gateway/third_party/googleapis/google/api/http.proto)
set(etcd_out ${CMAKE_BINARY_DIR}/etcd_proto)
set(etcd_generated
    ${etcd_out}/etcd/etcdserver/etcdserverpb/rpc.pb.cc
    ${etcd_out}/etcd/etcdserver/etcdserverpb/rpc.grpc.pb.cc
    ${etcd_out}/etcd/mvcc/mvccpb/kv.pb.cc
    ${etcd_out}/etcd/auth/authpb/auth.pb.cc
    ${etcd_out}/gogoproto/gogo.pb.cc
    ${etcd_out}/google/api/annotations.pb.cc
    ${etcd_out}/google/api/http.pb.cc)
list(TRANSFORM etcd_imports PREPEND -I OUTPUT_VARIABLE etcd_import_flags)

find_program(PROTOC protoc REQUIRED)
find_program(GRPC_CPP_PLUGIN grpc_cpp_plugin REQUIRED)
file(MAKE_DIRECTORY ${etcd_out})
add_custom_command(
    OUTPUT ${etcd_generated}
    COMMAND ${PROTOC} ${etcd_import_flags} --cpp_out=${etcd_out} ${etcd_protos}
    COMMAND ${PROTOC} ${etcd_import_flags} --grpc_out=${etcd_out}
            --plugin=protoc-gen-grpc=${GRPC_CPP_PLUGIN} ${ETCD_GO_PATH}/go.etcd.io/etcd/etcdserver/etcdserverpb/rpc.proto
    DEPENDS ${etcd_protos}
    COMMENT "generating etcd's API"
    VERBATIM)
add_library(etcd_proto STATIC ${etcd_generated})
target_include_directories(etcd_proto SYSTEM PUBLIC ${etcd_out})
target_compile_options(etcd_proto PRIVATE -w -O1 -g0)
target_link_libraries(etcd_proto PUBLIC grpc++ grpc gpr protobuf absl_synchronization Threads::Threads)
