# two VMs that run on two hosts are given one volume that has no file yet; one is failed over to a third host and makes it there; the other could never start again where it is (seed 900312)
blixard-sim 1
seed=900312 hosts=5 vms=25 hours=0.19071027777777777 faults=host,store,clock,disk,network,qemu,operator world=2
404084 vm-disks 3 15 0 8488805883621512076   # 404.0 s: vm-disks vm-15, asked at h4
487287 vm-disks 0 21 0 15618681448324837263   # 487.2 s: vm-disks vm-21, asked at h1
626557 host-crash 4 43 154000 11791509018640623817   # 626.5 s: host-crash on h5 for 154.0 s
