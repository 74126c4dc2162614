<#
.SYNOPSIS
Prepares a virtual machine for test-signed drivers.

.DESCRIPTION
Switches on test signing, trusts the certificate of the package, keeps crash dumps of the kernel, and lets the
debugger see what drivers print. Changes only what is different, so it may be run again.

Returns 0 if all is ready, 3010 if Windows has to be started again, and 1 if something failed.

.PARAMETER Package
The folder of the package, which has the certificate. Without it, the folder above this script.

.EXAMPLE
.\prepare.ps1

.EXAMPLE
powershell -ExecutionPolicy Bypass -File prepare.ps1 -Package C:\driver_package
#>
#Requires -Version 5.1
#Requires -RunAsAdministrator
[CmdletBinding()]
param([string] $Package)

Set-StrictMode -Version Latest
$ErrorActionPreference = 'Stop'
Import-Module -Name "$PSScriptRoot\Driver.psm1" -Force

try {
    $restart = $false

    Write-Step 'the package'
    $driver = Get-Package -Folder $Package

    Write-Step 'Secure Boot'
    $secure = $false
    try {
        $secure = Confirm-SecureBootUEFI
    } catch {
        Write-Host '  this machine has none'
    }
    if ($secure) {
        throw 'Secure Boot is on, and test signing needs it off: change the settings of the virtual machine'
    }

    Write-Step 'test signing'
    Invoke-Tool -Path 'bcdedit.exe' -Arguments '/set', 'testsigning', 'on' | Out-Null
    if (Test-TestSigning) {
        Write-Host '  in force'
    } else {
        $restart = $true
    }

    Write-Step 'the certificate'
    $file = Get-OneFile -Folder $driver.Folder -Kind 'cer'
    foreach ($store in 'Root', 'TrustedPublisher') {
        $certificate = Import-Certificate -FilePath $file -CertStoreLocation "Cert:\LocalMachine\$store"
        Write-Host "  $($certificate.Thumbprint) is in $store"
    }

    Write-Step 'crash dumps: of the kernel, and kept'
    $crash = 'HKLM:\SYSTEM\CurrentControlSet\Control\CrashControl'
    $restart = (Set-Value -Key $crash -Name 'CrashDumpEnabled' -Value 2) -or $restart
    $restart = (Set-Value -Key $crash -Name 'AlwaysKeepMemoryDump' -Value 1) -or $restart

    Write-Step 'what drivers print'
    $filter = 'HKLM:\SYSTEM\CurrentControlSet\Control\Session Manager\Debug Print Filter'
    $restart = (Set-Value -Key $filter -Name 'DEFAULT' -Value 15) -or $restart
    $framework = 'HKLM:\SYSTEM\CurrentControlSet\Control\Wdf\Kmdf\Diagnostics'
    $restart = (Set-Value -Key $framework -Name 'DbgPrintOn' -Value 1) -or $restart

    if ($restart) {
        Write-Step 'start Windows again, and then run install.ps1'
        exit $RestartNeeded
    }
    Write-Step 'ready: run install.ps1'
    exit 0
} catch {
    Write-Failure $_
    exit 1
}
