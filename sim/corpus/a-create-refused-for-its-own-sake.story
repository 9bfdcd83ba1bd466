# a create that was sent again was refused because of the VM that its first copy had made a moment before (seed 157)
blixard-sim 1
seed=157 hosts=5 vms=50 hours=0.3687627777777778 faults=host,store,clock,disk,network,qemu,operator
1095910 vm-delete 4 29 0 3629602713701607445   # 1095.9 s: vm-delete vm-29, asked at h5
1245767 client-trouble 0 15 18450 4012927877407681708   # 1245.7 s: client-trouble on h1 for 18.4 s
1245787 vm-resume 0 15 0 266677698326711426   # 1245.7 s: vm-resume vm-15, asked at h1
1251554 slow-link 0 32 15559 1036356341334927985   # 1251.5 s: slow-link on h1 for 15.5 s
1253158 compact 4 2 10762 7760153788281030297   # 1253.1 s: compact on h5 for 10.7 s
1261856 vm-delete 4 4 0 18347863672252750790   # 1261.8 s: vm-delete vm-4, asked at h5
1261902 vm-create 4 29 0 4330372376572790445   # 1261.9 s: vm-create vm-29, asked at h5
1265313 vm-create 4 29 0 13009333345345639846   # 1265.3 s: vm-create vm-29, asked at h5
1267546 vm-pause 4 29 0 1394840772449302254   # 1267.5 s: vm-pause vm-29, asked at h5
