# a start of a VM whose deletion was acknowledged, at a host whose view lags behind: answered "done" (seed 345)
blixard-sim 1
seed=345 hosts=5 vms=50 hours=0.5423172222222222 faults=host,store,clock,disk,network,qemu,operator
1890468 slow-watch 0 42 3412 1016158104867614730   # 1890.4 s: slow-watch on h1 for 3.4 s
1891578 vm-delete 4 42 0 623906287174094181   # 1891.5 s: vm-delete vm-42, asked at h5
1892342 vm-start 0 42 0 6803663705396729260   # 1892.3 s: vm-start vm-42, asked at h1
